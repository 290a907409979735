#include "connector/transfer/release.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "connector/records.h"
#include "core/base/proto.h"
#include "core/crypto/digest.h"

namespace tsunagi::connector {
namespace {

constexpr int kAttempts = 4;  // the first and three more

}  // namespace

// A release under way.
struct Releases::Operation {
  Use use;
  common::v1::Subject subject;
  Done done;
  int attempts = 0;
  // Of the attempt under way.
  audit::ReadVersion version = 0;
  common::v1::BatteryId battery;
  std::vector<std::string> parts_read;  // keys of what the passport read
  std::shared_ptr<LookupCounter::Reservation> reservation;

  bool by_vehicle() const { return subject.has_vehicle(); }
};

void Releases::Release(const Caller& caller, const v1::ReleaseRequest& request, Done done) {
  const absl::StatusOr<policy::SectionMask> sections = SectionsOf(request.sections());
  if (!sections.ok()) return done(sections.status());
  if (const absl::Status purpose = CheckPurpose(request.purpose()); !purpose.ok()) return done(purpose);
  if (const absl::Status subject = CheckSubject(request.subject()); !subject.ok()) return done(subject);
  auto op = std::make_shared<Operation>();
  op->use = {Asker::Of(caller),
             request.agreement(),
             *sections,
             request.purpose(),
             RequestDigest(own_.request_digest_key, request),
             nullptr};
  op->subject = request.subject();
  op->done = std::move(done);
  Start(std::move(op));
}

void Releases::Start(Op op) {
  op->version = journal_.Version();
  op->parts_read.clear();
  if (op->by_vehicle()) return FindVehicle(std::move(op));
  op->battery = op->subject.battery();
  Verdict verdict = enforcer_.Authorize(op->use, op->battery);
  Read(std::move(op), std::move(verdict));
}

void Releases::FindVehicle(Op op) {
  Verdict verdict = enforcer_.AuthorizeLookup(op->use, op->subject);
  if (const Denial* denial = std::get_if<Denial>(&verdict)) return Deny(std::move(op), *denial);
  const auto& authorization = std::get<Authorization>(verdict);
  if (authorization.daily_lookups > 0 && op->reservation == nullptr) {
    auto reserved = lookups_.Reserve(op->use.asker.did, authorization.daily_lookups, clock_.Now());
    if (!reserved.ok()) return Deny(std::move(op), {reserved.status(), true, {"lookup USED_UP"}});
    op->reservation = *std::move(reserved);
  }
  const common::v1::Subject& subject = op->subject;
  source_.ReadParts(authorization.grant, {&subject, 1},
                    [this, op](auto read) { TakeVehicle(op, std::move(read)); });
}

void Releases::TakeVehicle(Op op, absl::StatusOr<passport::v1::ReadPartsResponse> read) {
  if (!read.ok()) return op->done(read.status());
  TakeReadKeys(*read, op->parts_read);
  const std::vector<common::v1::BatteryId> found = BatteriesIn(*read);
  size_t chosen = 0;
  Verdict verdict = enforcer_.AuthorizeFound(op->use, found, chosen);
  if (!found.empty()) op->battery = found[chosen];
  Read(std::move(op), std::move(verdict));
}

void Releases::Read(Op op, Verdict verdict) {
  if (const Denial* denial = std::get_if<Denial>(&verdict)) return Deny(std::move(op), *denial);
  auto authorization = std::make_shared<Authorization>(std::get<Authorization>(std::move(verdict)));
  if (authorization->part_mask() == 0) {
    passport::v1::ReadParts nothing;
    *nothing.mutable_battery() = op->battery;
    return Record(std::move(op), std::move(*authorization), std::move(nothing));
  }
  common::v1::Subject subject;
  *subject.mutable_battery() = op->battery;
  source_.ReadParts(authorization->grant, {&subject, 1}, [this, op, authorization](auto read) {
    if (!read.ok()) return op->done(read.status());
    TakeReadKeys(*read, op->parts_read);
    passport::v1::ReadParts parts;
    if (!read->batteries().empty()) parts = std::move(*read->mutable_batteries(0));
    Record(op, std::move(*authorization), std::move(parts));
  });
}

void Releases::Record(Op op, Authorization authorization, passport::v1::ReadParts read) {
  if (!read.has_battery()) return Deny(std::move(op), {NotFound(), true, {}});
  absl::StatusOr<absl::optional<Content>> content = BuildContent(authorization, std::move(read));
  if (!content.ok()) return op->done(content.status());
  if (!content->has_value()) return Deny(std::move(op), {NotFound(), true, {}});
  audit::v1::Record record = RecordAt(clock_.Now());
  audit::v1::ReleaseRecord& release = *record.mutable_release();
  FillRecord(own_, op->use, authorization, (*content)->open, (*content)->obligations, release);
  *release.mutable_battery() = std::move((*content)->battery);
  release.set_content_digest(crypto::Sha256((*content)->bytes));
  audit::Commit commit;
  commit.reads = ReadKeys(authorization, op->parts_read);
  commit.record = Encode(record);
  v1::ReleaseResponse response;
  response.set_content(std::move((*content)->bytes));
  Submit(std::move(op), std::move(commit), std::move(response));
}

void Releases::Submit(Op op, audit::Commit commit, v1::ReleaseResponse response) {
  commit.version = op->version;
  if (op->reservation != nullptr) op->reservation->CountIn(commit);
  auto reply = std::make_shared<v1::ReleaseResponse>(std::move(response));
  journal_.Submit(std::move(commit), [this, op, reply](absl::StatusOr<audit::Committed> committed) {
    if (absl::IsAborted(committed.status()) && ++op->attempts < kAttempts) return Start(op);
    if (!committed.ok()) return op->done(committed.status());
    const std::string& consumer = op->use.asker.did;
    if (trust_.View()->IsSuspended(consumer)) {
      return op->done(absl::PermissionDeniedError(absl::StrCat("participant `", consumer, "` is suspended")));
    }
    *reply->mutable_proof() = std::move(committed->proof);
    op->done(std::move(*reply));
  });
}

// A named party's denial, and a look-up that was counted, are durable before they are answered.
void Releases::Deny(Op op, const Denial& denial) {
  if (!denial.named) {
    denials_.Count(op->use.asker.did);
    return op->done(denial.status);
  }
  audit::v1::DenialRecord record = DenialOf(op->use.asker.did, denial.reasons);
  if (!op->by_vehicle()) *record.mutable_battery() = op->battery;
  audit::Commit commit = denials_.CommitOf(std::move(record));
  if (op->reservation != nullptr) op->reservation->CountIn(commit);
  journal_.Submit(std::move(commit),
                  [op, status = denial.status](absl::StatusOr<audit::Committed> committed) {
                    op->done(committed.ok() ? status : committed.status());
                  });
}

}  // namespace tsunagi::connector
