#include "passport/records/writer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audit/requests.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "passport/model/facts.h"
#include "passport/model/slots.h"
#include "passport/records/attempts.h"
#include "passport/records/import_plan.h"

namespace tsunagi::passport {
namespace {

// The same status, telling which fact of the request it is about.
absl::Status AtFact(const absl::Status& status, int index) {
  ErrorDetail detail = DetailOf(status).value_or(ErrorDetail());
  detail.set_row(static_cast<uint64_t>(index) + 1);
  return WithDetail(Annotate(status, absl::StrCat("row ", index + 1)), detail);
}

audit::RequestKey RequestKeyOf(const RecordContext& context, const Caller& caller, absl::string_view method,
                               const std::string& request_id, const google::protobuf::Message& request) {
  return {caller.did(), method, request_id, crypto::HmacSha256(context.secrets.request, {Encode(request)})};
}

template <typename Response>
absl::StatusOr<std::optional<Response>> FindResponse(const RecordContext& context,
                                                     const audit::RequestKey& key) {
  ASSIGN_OR_RETURN(const std::optional<std::string> reply, audit::FindReply(context.journal.store(), key));
  if (!reply) return std::nullopt;
  Response response;
  if (!Decode(*reply, "stored reply", response).ok())
    return absl::DataLossError("the store holds a damaged reply");
  return response;
}

// Commits the events of `plan` for the caller and remembers the reply, as decided at `version`.
absl::Status CommitPlan(const RecordContext& context, const Caller& caller, audit::ReadVersion version,
                        ImportPlan& plan, const audit::RequestKey& key,
                        const google::protobuf::Message& reply, std::vector<store::Write> more_writes) {
  audit::Commit commit;
  commit.version = version;
  commit.reads.push_back(audit::StoredRequestKey(key));
  commit.writes = std::move(more_writes);
  AddBatch(context, plan.TakeDrafts(), &caller, commit);
  audit::RememberReply(key, Encode(reply), context.clock.Now(), commit.writes);
  return context.journal.SubmitAndWait(std::move(commit)).status();
}

absl::Status CheckFacts(const v1::ImportFactsRequest& request, absl::Time now,
                        std::vector<std::string>& warnings) {
  if (request.facts().empty() || request.facts_size() > kMaxFacts) {
    return InvalidArgument({"TOO_MANY", "facts", absl::StrCat(request.facts_size()), "1 to 1000 facts"});
  }
  for (int i = 0; i < request.facts_size(); ++i) {
    std::vector<std::string> remarks;
    const absl::Status status = CheckFact(request.facts(i), now, remarks);
    if (!status.ok()) return AtFact(status, i);
    for (const std::string& remark : remarks) warnings.push_back(absl::StrCat(i, ": ", remark));
  }
  return absl::OkStatus();
}

// One decision: OK with the response when it was committed, or had nothing to commit.
absl::StatusOr<v1::ImportFactsResponse> TryImport(const RecordContext& context, const Caller& caller,
                                                  const v1::ImportFactsRequest& request,
                                                  const audit::RequestKey& key,
                                                  const std::vector<std::string>& warnings) {
  const audit::ReadVersion version = context.journal.Version();
  ASSIGN_OR_RETURN(std::optional<v1::ImportFactsResponse> known,
                   FindResponse<v1::ImportFactsResponse>(context, key));
  if (known) return *std::move(known);
  ImportPlan plan(context);
  v1::ImportFactsResponse response;
  for (int i = 0; i < request.facts_size(); ++i) {
    const absl::StatusOr<v1::ImportOutcome> outcome = plan.Add(request.facts(i));
    if (!outcome.ok()) return AtFact(outcome.status(), i);
    response.add_outcomes(*outcome);
  }
  response.mutable_warnings()->Assign(warnings.begin(), warnings.end());
  if (request.validate_only() || plan.empty()) return response;
  RETURN_IF_ERROR(CommitPlan(context, caller, version, plan, key, response, {}));
  return response;
}

const KeptEvent* FindRegistration(const std::vector<KeptEvent>& history) {
  const auto found = std::find_if(history.begin(), history.end(), [](const KeptEvent& event) {
    return event.header.type() == v1::EVENT_TYPE_REGISTERED;
  });
  return found == history.end() ? nullptr : &*found;
}

// A proposal that says what is in force already could only be refused by the registrar.
absl::Status CheckCorrects(const google::protobuf::RepeatedPtrField<v1::NewPart>& parts,
                           const std::vector<KeptEvent>& history) {
  for (const v1::NewPart& part : parts) {
    const KeptEvent* event = InForce(history, part.kind());
    if (event == nullptr) continue;
    const std::string& current = FindPart(*event, part.kind())->content;
    if (!FirstDifference(part.kind(), current, part.content()).empty()) continue;
    return InvalidArgument({"NOTHING_CHANGES", "parts", KindName(part.kind()),
                            "a part that differs from the one in force: leave out what is right already"});
  }
  return absl::OkStatus();
}

bool HasIdentity(const google::protobuf::RepeatedPtrField<v1::NewPart>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [](const v1::NewPart& part) { return part.kind() == v1::PART_KIND_IDENTITY; });
}

absl::StatusOr<v1::ProposeAmendmentResponse> TryPropose(const RecordContext& context, const Caller& caller,
                                                        const v1::ProposeAmendmentRequest& request,
                                                        const audit::RequestKey& key) {
  const audit::ReadVersion version = context.journal.Version();
  ASSIGN_OR_RETURN(std::optional<v1::ProposeAmendmentResponse> known,
                   FindResponse<v1::ProposeAmendmentResponse>(context, key));
  if (known) return *std::move(known);
  ImportPlan plan(context);
  ASSIGN_OR_RETURN(const std::vector<KeptEvent>* history, plan.HistoryOf(request.battery()));
  const KeptEvent* registration = FindRegistration(*history);
  if (registration == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("battery `", request.battery().serial(),
                     "` is not registered by this participant: only the issuer amends"));
  }
  v1::ProposeAmendmentRequest checked = request;
  *checked.mutable_battery() = registration->header.subject();
  std::vector<std::string> warnings;
  RETURN_IF_ERROR(CheckAmendment(checked, context.clock.Now(), warnings));
  RETURN_IF_ERROR(CheckCorrects(checked.parts(), *history));
  v1::EventHeader header;
  header.set_type(v1::EVENT_TYPE_AMENDMENT_PROPOSED);
  *header.mutable_subject() = checked.battery();
  *header.mutable_occurred_at() = ToProto(context.clock.Now());
  header.set_refers_to(registration->stored.digest());
  ASSIGN_OR_RETURN(const crypto::Digest digest, plan.Append(std::move(header), checked.parts()));
  const v1::EventHeader& written = history->back().header;
  v1::ProposeAmendmentResponse response;
  response.set_id(ToHex(digest));
  std::vector<store::Write> pending;
  if (HasIdentity(checked.parts())) {
    pending.push_back(store::Put(store::Table::kState, PendingKey(digest),
                                 EventKey(written.subject(), written.author(), written.sequence())));
  }
  RETURN_IF_ERROR(CommitPlan(context, caller, version, plan, key, response, std::move(pending)));
  return response;
}

}  // namespace

absl::StatusOr<v1::ImportFactsResponse> RecordWriter::ImportFacts(const Caller& caller,
                                                                  const v1::ImportFactsRequest& request) {
  std::vector<std::string> warnings;
  RETURN_IF_ERROR(CheckFacts(request, context_.clock.Now(), warnings));
  const audit::RequestKey key = RequestKeyOf(context_, caller, "ImportFacts", request.request_id(), request);
  return UntilNoConflict([&] { return TryImport(context_, caller, request, key, warnings); });
}

absl::StatusOr<v1::ProposeAmendmentResponse> RecordWriter::ProposeAmendment(
    const Caller& caller, const v1::ProposeAmendmentRequest& request) {
  const audit::RequestKey key =
      RequestKeyOf(context_, caller, "ProposeAmendment", request.request_id(), request);
  return UntilNoConflict([&] { return TryPropose(context_, caller, request, key); });
}

}  // namespace tsunagi::passport
