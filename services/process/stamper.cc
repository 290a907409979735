#include "services/process/stamper.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/audit/checkpoint.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "services/http/egress.h"
#include "services/http/url.h"

namespace tsunagi::process {
namespace {

using internal::v1::StampingAuthority;

constexpr uint64_t kDefaultPauseSeconds = 3600;
constexpr uint64_t kLeastPauseSeconds = 60;
constexpr uint64_t kMostPauseSeconds = 86400;
constexpr absl::Duration kFirstRetry = absl::Minutes(1);
constexpr absl::Duration kMostRetry = absl::Hours(1);
// As elsewhere between two clocks.
constexpr absl::Duration kClockDifference = absl::Seconds(60);
constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr size_t kMaxRootFile = 256 << 10;
constexpr size_t kNonceSize = 16;

// Without parameters, in lower case: RFC 9110 section 8.3.
std::string MediaType(absl::string_view content_type) {
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';'))));
}

// Whoever stamped looked at a clock between the two times.
absl::Status CheckTime(absl::Time stamped, absl::Time sent, absl::Time received) {
  if (stamped >= sent - kClockDifference && stamped <= received + kClockDifference) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the stamping authority's clock says ", absl::FormatTime(stamped, absl::UTCTimeZone()),
                   ", which is more than 60 s from this machine's: check this machine's clock"));
}

}  // namespace

std::vector<FieldMistake> MistakesIn(const StampingAuthority& config) {
  std::vector<FieldMistake> mistakes;
  const auto expect = [&](bool ok, absl::string_view field, absl::string_view value,
                          absl::string_view expected) {
    const std::string path = absl::StrCat("stamping_authority.", field);
    if (!ok) mistakes.push_back({path, std::string(value), std::string(expected)});
  };
  expect(http::ParseHttpUrl(config.url()).ok(), "url", config.url(), "an https:// or http:// URL");
  expect(!config.root_file().empty(), "root_file", "", "the PEM file of the authority's root certificate");
  expect(config.policy().empty() || crypto::IsObjectIdentifier(config.policy()), "policy", config.policy(),
         "an object identifier such as 1.2.3.4");
  const uint64_t pause = config.interval_seconds();
  expect(pause == 0 || (pause >= kLeastPauseSeconds && pause <= kMostPauseSeconds), "interval_seconds",
         absl::StrCat(pause), "60 to 86400 (24 h)");
  for (const std::string& address : config.allowed_addresses()) {
    expect(http::IsWrittenAddress(address), "allowed_addresses", address, "an IP address such as 10.0.0.7");
  }
  return mistakes;
}

absl::StatusOr<std::unique_ptr<Stamper>> Stamper::New(const StampingAuthority& config,
                                                      audit::Journal& journal, NewestNote newest,
                                                      const Clock& clock, Random& random) {
  const std::string field = absl::StrCat("stamping_authority.root_file `", config.root_file(), "`");
  const absl::StatusOr<std::string> pem = ReadFile(config.root_file(), kMaxRootFile);
  RETURN_IF_ERROR(Annotate(pem.status(), field));
  absl::StatusOr<crypto::TimeStampVerifier> verifier = crypto::TimeStampVerifier::FromPem(*pem);
  RETURN_IF_ERROR(Annotate(verifier.status(), field));
  return std::unique_ptr<Stamper>(
      new Stamper(config, *std::move(verifier), journal, std::move(newest), clock, random));
}

Stamper::Stamper(StampingAuthority config, crypto::TimeStampVerifier verifier, audit::Journal& journal,
                 NewestNote newest, const Clock& clock, Random& random)
    : config_(std::move(config)),
      pause_(absl::Seconds(static_cast<int64_t>(
          config_.interval_seconds() == 0 ? kDefaultPauseSeconds : config_.interval_seconds()))),
      verifier_(std::move(verifier)),
      journal_(journal),
      newest_(std::move(newest)),
      clock_(clock),
      random_(random),
      backoff_(clock, random, kFirstRetry, kMostRetry) {}

// A clock that was put back must not keep us waiting.
bool Stamper::PauseIsOver() const {
  const absl::Duration since = clock_.Now() - stamped_at_;
  return since >= pause_ || since < absl::ZeroDuration();
}

absl::Status Stamper::Run() {
  if (!PauseIsOver() || !backoff_.Due()) return absl::OkStatus();
  absl::StatusOr<std::optional<audit::KeptStamp>> next = ToStamp();
  if (next.ok() && !next->has_value()) return absl::OkStatus();
  absl::Status outcome = next.ok() ? Stamp(**std::move(next)) : next.status();
  Note(outcome);
  return outcome;
}

absl::StatusOr<std::optional<audit::KeptStamp>> Stamper::ToStamp() {
  if (!stamped_size_.has_value()) {
    ASSIGN_OR_RETURN(stamped_size_, audit::StampedSize(journal_.store(), journal_.Size()));
  }
  absl::StatusOr<std::string> note = newest_();
  if (absl::IsNotFound(note.status())) return std::nullopt;
  RETURN_IF_ERROR(note.status());
  ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint,
                   audit::OpenCheckpoint(*note, journal_.origin(), journal_.log_key()));
  if (checkpoint.size <= *stamped_size_) return std::nullopt;
  audit::KeptStamp next{checkpoint.size, {}};
  next.stamp.set_checkpoint(*std::move(note));
  return next;
}

absl::Status Stamper::Stamp(audit::KeptStamp next) {
  const crypto::TimeStampQuery query = {next.stamp.checkpoint(), random_.Bytes(kNonceSize), config_.policy()};
  const absl::Time sent = clock_.Now();
  ASSIGN_OR_RETURN(const std::string reply, Ask(query));
  ASSIGN_OR_RETURN(crypto::StampedReply stamped, verifier_.OpenReply(reply, query));
  RETURN_IF_ERROR(CheckTime(stamped.stamp.time, sent, clock_.Now()));
  next.stamp.set_token(std::move(stamped.token));
  audit::Commit commit;
  commit.writes.push_back(audit::PutStamp(next));
  RETURN_IF_ERROR(journal_.SubmitAndWait(std::move(commit)).status());
  stamped_size_ = next.size;
  stamped_at_ = clock_.Now();
  log::Info("checkpoint stamped",
            {{"leaves", absl::StrCat(next.size)}, {"authority", stamped.stamp.authority}});
  return absl::OkStatus();
}

// The body of the authority's reply (RFC 3161 section 3.4).
absl::StatusOr<std::string> Stamper::Ask(const crypto::TimeStampQuery& query) const {
  http::HttpsCall call;
  call.method = "POST";
  call.url = config_.url();
  call.allow_plain = true;  // the reply is signed, and bound to the nonce
  call.content_type = "application/timestamp-query";
  ASSIGN_OR_RETURN(call.body, crypto::MakeTimeStampRequest(query));
  call.max_body = crypto::kMaxTimeStampBytes;
  http::EgressOptions options;
  options.allowed_addresses = {config_.allowed_addresses().begin(), config_.allowed_addresses().end()};
  options.timeout = kTimeout;
  ASSIGN_OR_RETURN(http::HttpResponse response, http::CallOut(std::move(call), options));
  if (response.status != 200) {
    return absl::FailedPreconditionError(
        absl::StrCat("the stamping authority answers with status ", response.status, ": expected 200"));
  }
  if (MediaType(response.content_type) != "application/timestamp-reply") {
    return absl::InvalidArgumentError(
        "the stamping authority's answer is no application/timestamp-reply: check stamping_authority.url");
  }
  return std::move(response.body);
}

void Stamper::Note(const absl::Status& outcome) {
  outcome.ok() ? backoff_.Succeeded() : backoff_.Failed();
  MutexLock lock(mutex_);
  trouble_ = outcome.ok() ? "" : absl::StrCat("checkpoints are not stamped: ", outcome.message());
}

std::string Stamper::Trouble() const {
  MutexLock lock(mutex_);
  return trouble_;
}

}  // namespace tsunagi::process
