// Whether everything fits together: logs and health.
#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/stamps.h"
#include "cli/values.h"
#include "core/audit/checkpoint.h"
#include "core/audit/epoch.h"
#include "core/audit/verify.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/bundle.h"
#include "tsunagi/audit/v1/record.pb.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using audit::LogVerifier;
using ops::v1::OperationsService;

constexpr int kLeavesPerPage = 500;

// What the log of one process was found to be.
struct LogReport {
  std::string origin;
  uint64_t size = 0;
  uint64_t cosigned_size = 0;
  std::string cosigned_at;  // empty: never cosigned
  uint64_t without_record = 0;
  uint64_t events = 0;  // that its batches wrote
  absl::btree_map<std::string, uint64_t> records;
  LogStamps stamps;
};

std::string EntryName(const audit::v1::Record& record) {
  const auto* field = audit::v1::Record::GetReflection()->GetOneofFieldDescriptor(
      record, audit::v1::Record::descriptor()->oneof_decl(0));
  return field == nullptr ? "unknown" : field->name();
}

absl::Status Count(const ops::v1::Leaf& leaf, LogReport& report) {
  if (leaf.record().empty()) return absl::OkStatus();
  audit::v1::Record record;
  RETURN_IF_ERROR(Decode(leaf.record(), absl::StrCat("record ", leaf.index()), record));
  ++report.records[EntryName(record)];
  if (record.has_batch()) report.events += record.batch().event_count();
  return absl::OkStatus();
}

// The keys of a log, newest first.
absl::StatusOr<std::vector<crypto::PublicKey>> LogKeys(const identity::v1::Participant& participant,
                                                       absl::string_view origin) {
  std::vector<crypto::PublicKey> keys;
  for (const auto& key : participant.keys()) {
    if (key.purpose() != identity::v1::KEY_PURPOSE_LOG || key.log_origin() != origin) continue;
    ASSIGN_OR_RETURN(auto public_key, crypto::PublicKey::FromDer(key.public_key()));
    keys.insert(keys.begin(), std::move(public_key));
  }
  if (keys.empty())
    return absl::NotFoundError(absl::StrCat("the directory lists no key of log `", origin, "`"));
  return keys;
}

// Compares what was added so far with a checkpoint.
absl::StatusOr<audit::Checkpoint> Compare(const LogVerifier& verifier, absl::string_view note,
                                          absl::string_view origin,
                                          const std::vector<crypto::PublicKey>& keys) {
  absl::StatusOr<audit::Checkpoint> checkpoint = absl::InternalError("no keys");
  for (const crypto::PublicKey& key : keys) {
    checkpoint = verifier.Finish(note, origin, key);
    if (checkpoint.ok()) break;
  }
  return checkpoint;
}

// Size that a note claims; its signature is checked when the leaves are there.
absl::StatusOr<uint64_t> ClaimedSize(absl::string_view note, absl::string_view origin,
                                     const std::vector<crypto::PublicKey>& keys) {
  absl::StatusOr<audit::Checkpoint> checkpoint = absl::InternalError("no keys");
  for (const crypto::PublicKey& key : keys) {
    checkpoint = audit::OpenCheckpoint(note, origin, key);
    if (checkpoint.ok()) return checkpoint->size;
  }
  return checkpoint.status();
}

// Adds the leaves from the verifier's size up to `size`.
absl::Status AddLeaves(Session& session, const std::string& process, uint64_t size, LogVerifier& verifier,
                       LogReport& report) {
  while (verifier.size() < size) {
    ops::v1::ListLeavesRequest request;
    request.set_start(verifier.size());
    request.set_page_size(static_cast<int32_t>(std::min<uint64_t>(kLeavesPerPage, size - verifier.size())));
    ASSIGN_OR_RETURN(const auto page,
                     session.Call<OperationsService>(process, &OperationsService::Stub::ListLeaves, request));
    if (page.leaves().empty())
      return absl::DataLossError(absl::StrCat("leaf ", verifier.size(), " is missing"));
    for (const auto& leaf : page.leaves()) {
      RETURN_IF_ERROR(verifier.Add({leaf.index(), leaf.commitment(), leaf.record(), leaf.salt()}));
      RETURN_IF_ERROR(Count(leaf, report));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> CosignedAt(Session& session, absl::string_view note) {
  ASSIGN_OR_RETURN(const auto registrar, session.FindParticipant("registrar"));
  const std::string name = absl::StrCat("registrar.", session.config().federation());
  absl::StatusOr<absl::Time> time = absl::NotFoundError("the directory lists no log key of the registrar");
  for (const auto& key : registrar.keys()) {
    if (key.purpose() != identity::v1::KEY_PURPOSE_LOG) continue;
    ASSIGN_OR_RETURN(const auto public_key, crypto::PublicKey::FromDer(key.public_key()));
    time = audit::CosignatureTime(note, name, public_key);
    if (time.ok()) break;
  }
  return time;
}

absl::StatusOr<LogReport> VerifyLog(Session& session, const std::string& process,
                                    const std::optional<crypto::TimeStampVerifier>& stamping) {
  LogReport report;
  const std::string log =
      absl::StrCat(session.config().participant(), ".", session.config().federation(), "/", process);
  ASSIGN_OR_RETURN(const auto participant, session.FindParticipant(session.config().participant()));
  ASSIGN_OR_RETURN(const auto keys, LogKeys(participant, log));
  ASSIGN_OR_RETURN(const auto notes,
                   session.Call<OperationsService>(process, &OperationsService::Stub::GetCheckpoint,
                                                   ops::v1::GetCheckpointRequest()));
  // The epoch that it is in; its signature is checked under that name.
  ASSIGN_OR_RETURN(const audit::LogEpoch epoch,
                   audit::ParseEpochOrigin(audit::ClaimedOrigin(notes.checkpoint())));
  report.origin = audit::EpochOrigin(log, epoch.epoch);
  LogVerifier verifier;
  const std::string& cosigned = notes.cosigned_checkpoint();
  ASSIGN_OR_RETURN(report.size, ClaimedSize(notes.checkpoint(), report.origin, keys));
  if (!cosigned.empty()) {
    ASSIGN_OR_RETURN(report.cosigned_size, ClaimedSize(cosigned, report.origin, keys));
  }
  // What is stamped is cosigned; but nobody cosigns the registrar's own log.
  const uint64_t stamped_at_most = cosigned.empty() ? report.size : report.cosigned_size;
  // Compares a note with the leaves up to its size, which are fetched as far as they are not here yet.
  const auto compare = [&](const std::string& note) -> absl::StatusOr<uint64_t> {
    ASSIGN_OR_RETURN(const uint64_t size, ClaimedSize(note, report.origin, keys));
    RETURN_IF_ERROR(AddLeaves(session, process, size, verifier, report));
    RETURN_IF_ERROR(Compare(verifier, note, report.origin, keys).status());
    return size;
  };
  const auto compare_stamped = [&](const std::string& note) -> absl::StatusOr<uint64_t> {
    ASSIGN_OR_RETURN(const uint64_t size, ClaimedSize(note, report.origin, keys));
    return size > stamped_at_most ? size : compare(note);
  };
  ASSIGN_OR_RETURN(report.stamps, VerifyStamps(session, process, stamped_at_most, stamping, compare_stamped));
  if (!cosigned.empty()) {
    RETURN_IF_ERROR(compare(cosigned).status());
    ASSIGN_OR_RETURN(const absl::Time time, CosignedAt(session, cosigned));
    report.cosigned_at = FormatInstant(ToProto(time));
  }
  RETURN_IF_ERROR(compare(notes.checkpoint()).status());
  report.without_record = verifier.erased();
  return report;
}

Json LogJson(const LogReport& report) {
  return {{"log", report.origin},
          {"leaves", report.size},
          {"cosigned_leaves", report.cosigned_size},
          {"cosigned_at", report.cosigned_at},
          {"without_record", report.without_record},
          {"events", report.events},
          {"records", report.records},
          {"time_stamps", StampsJson(report.stamps)}};
}

absl::StatusOr<Output> VerifyAudit(Context& context, const std::string& stamping_root) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(
      const auto stamping,
      LoadStampingRoot(stamping_root.empty() ? session->config().stamping_root_file() : stamping_root));
  Output output;
  output.json["logs"] = Json::array();
  std::vector<std::string> stamped;
  Table table{{"log", "leaves", "cosigned", "cosigned at", "events", "records"}, {}};
  for (const std::string& process : session->OwnProcesses()) {
    const auto report = VerifyLog(*session, process, stamping);
    if (!report.ok()) return Annotate(report.status(), absl::StrCat("log of ", process));
    output.json["logs"].push_back(LogJson(*report));
    table.rows.push_back({report->origin, absl::StrCat(report->size), absl::StrCat(report->cosigned_size),
                          report->cosigned_at, absl::StrCat(report->events),
                          absl::StrJoin(report->records, ", ", absl::PairFormatter(" "))});
    if (report->stamps.count > 0) stamped.push_back(StampsLine(report->origin, report->stamps));
  }
  output.json["verified"] = true;
  output.Add(std::move(table));
  for (std::string& line : stamped) output.Line(std::move(line));
  output.Line("verified: every leaf gives the signed root, and what the registrar cosigned is a part of it");
  return output;
}

absl::StatusOr<Output> Health(Context& context) {
  ASSIGN_OR_RETURN(const auto session, context.Open());
  Output output;
  output.json["processes"] = Json::array();
  Table table{{"process", "state", "status list age", "certificate expires in", "notes"}, {}};
  absl::Status worst;
  for (const std::string& process : session->OwnProcesses()) {
    const auto health = session->Call<OperationsService>(process, &OperationsService::Stub::GetHealth,
                                                         ops::v1::GetHealthRequest());
    if (!health.ok()) {
      worst = health.status();
      continue;
    }
    if (health->state() != ops::v1::HEALTH_STATE_SERVING) {
      worst = absl::UnavailableError(
          absl::StrCat(process, " does not serve: ", absl::StrJoin(health->notes(), "; ")));
    }
    Json json = ToJson(*health);
    json["process"] = process;
    output.json["processes"].push_back(std::move(json));
    table.rows.push_back({process, WordOf(health->state()),
                          absl::StrCat(health->status_list_age_seconds(), " s"),
                          absl::StrCat(health->certificate_expires_in_seconds() / 3600, " h"),
                          absl::StrJoin(health->notes(), "; ")});
  }
  if (!worst.ok()) return worst;
  output.Add(std::move(table));
  return output;
}

}  // namespace

void AddAuditCommands(CLI::App& app, Command& command) {
  CLI::App* audit =
      app.add_subcommand("audit", "the logs of this participant's processes")->require_subcommand(1);
  auto stamping_root = std::make_shared<std::string>();
  CLI::App* verify = audit->add_subcommand(
      "verify", "fetch every leaf and compare with the signed, cosigned and stamped checkpoints");
  AddStampingRoot(*verify, *stamping_root);
  verify->callback([&command, stamping_root] {
    command = [stamping_root](Context& context) { return VerifyAudit(context, *stamping_root); };
  });
  app.add_subcommand("health", "whether this participant's processes serve")->callback([&command] {
    command = Health;
  });
}

}  // namespace tsunagi::cli
