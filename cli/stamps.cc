#include "cli/stamps.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/values.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using ops::v1::OperationsService;

constexpr size_t kMaxRootFile = 256 << 10;

absl::StatusOr<ops::v1::ListStampsResponse> ListStamps(Session& session, const std::string& process,
                                                       uint64_t size, int32_t page_size) {
  ops::v1::ListStampsRequest request;
  request.set_size(size);
  request.set_page_size(page_size);
  return session.Call<OperationsService>(process, &OperationsService::Stub::ListStamps, request);
}

}  // namespace

absl::StatusOr<std::optional<crypto::TimeStampVerifier>> LoadStampingRoot(const std::string& path) {
  if (path.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kMaxRootFile));
  auto verifier = crypto::TimeStampVerifier::FromPem(pem);
  if (!verifier.ok()) return Annotate(verifier.status(), absl::StrCat("stamping root `", path, "`"));
  return *std::move(verifier);
}

absl::StatusOr<LogStamps> VerifyStamps(
    Session& session, const std::string& process, uint64_t leaves,
    const std::optional<crypto::TimeStampVerifier>& verifier,
    const std::function<absl::StatusOr<uint64_t>(const std::string& note)>& check_note) {
  LogStamps found;
  found.verified = verifier.has_value();
  while (found.leaves < leaves) {
    const uint64_t next = found.leaves + 1;
    ASSIGN_OR_RETURN(const auto page, ListStamps(session, process, next, 0));
    for (const audit::v1::Stamp& stamp : page.stamps()) {
      ASSIGN_OR_RETURN(const uint64_t size, check_note(stamp.checkpoint()));
      if (size > leaves) return found;  // stamped since we began to look
      if (size <= found.leaves) return absl::DataLossError("the stamps are not in the order of their sizes");
      found.leaves = size;
      ++found.count;
      if (!verifier.has_value()) continue;
      auto verified = verifier->Verify(stamp.token(), stamp.checkpoint());
      RETURN_IF_ERROR(Annotate(verified.status(), absl::StrCat("time stamp at ", size, " leaves")));
      found.newest = *std::move(verified);
    }
    if (page.stamps().empty()) break;
  }
  return found;
}

Json StampsJson(const LogStamps& stamps) {
  const bool verified = stamps.verified && stamps.count > 0;
  return {{"count", stamps.count},
          {"leaves", stamps.leaves},
          {"verified", verified},
          {"stamped_at", verified ? Json(FormatInstant(ToProto(stamps.newest.time))) : Json(nullptr)},
          {"authority", verified ? Json(stamps.newest.authority) : Json(nullptr)}};
}

std::string StampsLine(const std::string& log, const LogStamps& stamps) {
  if (stamps.count == 0) return "";
  const std::string what = absl::StrCat(log, ": ", stamps.count, " time stamps, up to leaf ", stamps.leaves);
  if (!stamps.verified)
    return absl::StrCat(what, ", NOT checked: name the authority's root with --stamping-root");
  return absl::StrCat(what, "; the newest of ", FormatInstant(ToProto(stamps.newest.time)), " by ",
                      stamps.newest.authority);
}

absl::StatusOr<audit::v1::ReceiptStamp> FetchStamp(Session& session, const std::string& process,
                                                   uint64_t leaves) {
  ASSIGN_OR_RETURN(auto page, ListStamps(session, process, leaves, 1));
  if (page.stamps().empty()) {
    return absl::NotFoundError(
        "no stamped checkpoint of the provider's log covers the receipt: try again after its next stamp");
  }
  audit::v1::ReceiptStamp stamp;
  *stamp.mutable_stamp() = std::move(*page.mutable_stamps(0));
  *stamp.mutable_consistency() = std::move(*page.mutable_consistency());
  return stamp;
}

}  // namespace tsunagi::cli
