// A participant's passport records in memory, in a federation for tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "core/audit/checkpoint.h"
#include "identity/evidence_keys.h"
#include "identity/names.h"
#include "passport/model/digests.h"
#include "passport/model/values.h"
#include "passport/records/context.h"
#include "passport/records/dater.h"
#include "passport/records/eraser.h"
#include "passport/records/reader.h"
#include "passport/records/view.h"
#include "passport/records/writer.h"
#include "tests/support/caller.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"
#include "tests/support/federation.h"
#include "tests/support/grants.h"
#include "tests/support/temp_dir.h"

namespace tsunagi::testing {

// Lists a key of `participant` from an hour ago on.
inline void ListKey(identity::v1::Participant& participant, const crypto::PublicKey& key,
                    identity::v1::KeyPurpose purpose, const std::string& origin, absl::Time from) {
  identity::v1::ParticipantKey& listed = *participant.add_keys();
  listed.set_key_id(key.id());
  listed.set_purpose(purpose);
  listed.set_algorithm(key.algorithm());
  listed.set_public_key(key.der());
  listed.set_log_origin(origin);
  *listed.mutable_valid_from() = ToProto(from);
}

// The registrar's keys that passports need, listed in the federation.
class TestRegistrar {
 public:
  TestRegistrar(TestFederation& federation, const FakeClock& clock) : federation_(federation), clock_(clock) {
    const absl::Time from = clock.Now() - absl::Hours(1);
    ListKey(federation.registrar(), signing_.public_key(), identity::v1::KEY_PURPOSE_SIGNING, "", from);
    ListKey(federation.registrar(), witness_.public_key(), identity::v1::KEY_PURPOSE_LOG,
            identity::WitnessName(federation.name()), from);
    federation.Publish().IgnoreError();
  }

  std::string Cosign(const std::string& note) const {
    return audit::Cosign(note, identity::WitnessName(federation_.name()), witness_, clock_.Now()).value();
  }
  crypto::SignedEnvelope Approve(const std::string& proposal_digest, const std::string& issuer) const {
    passport::v1::AmendmentApproval approval;
    approval.set_proposal_digest(proposal_digest);
    approval.set_issuer(issuer);
    *approval.mutable_approved_at() = ToProto(clock_.Now());
    return crypto::Sign(signing_, passport::kAmendmentApprovalType, Encode(approval));
  }

 private:
  TestFederation& federation_;
  const FakeClock& clock_;
  const crypto::PrivateKey signing_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const crypto::PrivateKey witness_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
};

// Store, journal and records of one participant, listed in the federation with its keys.
class TestPassportNode {
 public:
  TestPassportNode(TestFederation& federation, FakeClock& clock, const std::string& label, uint64_t seed = 1)
      : clock_(clock),
        label_(label),
        random_(seed),
        origin_(identity::LogOrigin("passport", label, federation.name())),
        journal_(audit::Journal::Open(*store_, origin_, log_, random_).value()),
        context_{*journal_,
                 signing_,
                 federation.trust(),
                 clock,
                 random_,
                 federation.DidOf(label),
                 federation.name(),
                 passport::RecordSecrets(absl::StrCat("node key of ", label))} {
    identity::v1::Participant& participant = federation.Add(label);
    const absl::Time from = clock.Now() - absl::Hours(1);
    ListKey(participant, signing_.public_key(), identity::v1::KEY_PURPOSE_SIGNING, "", from);
    ListKey(participant, log_.public_key(), identity::v1::KEY_PURPOSE_LOG, origin_, from);
    federation.Publish().IgnoreError();
  }

  const passport::RecordContext& context() const { return context_; }
  const std::string& did() const { return context_.did; }
  store::Store& store() { return *store_; }
  audit::Journal& journal() { return *journal_; }
  passport::RecordWriter& writer() { return writer_; }
  passport::RecordEraser& eraser() { return eraser_; }
  passport::ErasureList& erasures() { return *erasures_; }
  passport::Dater& dater() { return dater_; }
  passport::RecordReader& reader() { return reader_; }

  // Who writes here.
  Caller own_operator() const { return CallerForTest::Make(did(), label_, "operator"); }
  std::string NewRequestId() { return NewUuid(random_); }

  absl::StatusOr<passport::v1::ImportFactsResponse> Import(const std::vector<passport::v1::NewFact>& facts) {
    passport::v1::ImportFactsRequest request;
    request.set_request_id(NewRequestId());
    for (const passport::v1::NewFact& fact : facts) *request.add_facts() = fact;
    return writer_.ImportFacts(own_operator(), request);
  }

  // What a Grant for these sections opens of the subjects.
  absl::StatusOr<passport::v1::ReadPartsResponse> Read(const std::vector<common::v1::Subject>& subjects,
                                                       const std::vector<common::v1::Section>& sections) {
    return reader_.ReadParts(GrantForTest(ClaimsFor(subjects, sections, clock_.Now()), clock_), subjects);
  }

  // Takes the newest checkpoint to the registrar and back.
  absl::StatusOr<uint64_t> Date(const TestRegistrar& registrar) {
    return dater_.OnCosigned(registrar.Cosign(journal_->LatestCheckpoint()));
  }

 private:
  FakeClock& clock_;
  const std::string label_;
  FakeRandom random_;
  const crypto::PrivateKey signing_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
  const crypto::PrivateKey log_ = crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ED25519);
  const std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  const std::string origin_;
  const std::unique_ptr<audit::Journal> journal_;
  const passport::RecordContext context_;
  passport::RecordWriter writer_{context_};
  const TempDir folder_;
  const std::unique_ptr<passport::ErasureList> erasures_ =
      passport::ErasureList::Open(folder_.File("erasures")).value();
  passport::RecordEraser eraser_{context_, *erasures_};
  passport::Dater dater_{context_};
  passport::RecordReader reader_{*store_, context_.secrets, clock_};
};

inline common::v1::BatteryId Battery(const std::string& manufacturer, const std::string& serial) {
  common::v1::BatteryId battery;
  battery.set_manufacturer(manufacturer);
  battery.set_serial(serial);
  battery.set_level(common::v1::BATTERY_LEVEL_MODULE);
  return battery;
}

inline common::v1::Subject SubjectOf(const common::v1::BatteryId& battery) {
  common::v1::Subject subject;
  subject.mutable_battery()->set_manufacturer(battery.manufacturer());
  subject.mutable_battery()->set_serial(battery.serial());
  return subject;
}

inline common::v1::Subject VehicleSubject(const std::string& vehicle) {
  common::v1::Subject subject;
  subject.set_vehicle(vehicle);
  return subject;
}

inline common::v1::Decimal Number(absl::string_view text) {
  return passport::ParseDecimal(text, "test").value();
}

inline void AddPart(passport::v1::NewFact& fact, passport::v1::PartKind kind,
                    const google::protobuf::Message& message) {
  passport::v1::NewPart& part = *fact.add_parts();
  part.set_kind(kind);
  part.set_content(Encode(message));
}

inline passport::v1::NewFact FactAbout(const common::v1::BatteryId& battery, passport::v1::EventType type,
                                       const char* day) {
  passport::v1::NewFact fact;
  fact.set_type(type);
  *fact.mutable_subject() = battery;
  absl::Time time;
  std::string error;
  absl::ParseTime(absl::RFC3339_full, absl::StrCat(day, "T00:00:00Z"), &time, &error);
  *fact.mutable_occurred_at() = ToProto(time);
  return fact;
}

// A module as a cell maker registers it: identity and materials.
inline passport::v1::NewFact Registered(const common::v1::BatteryId& battery,
                                        absl::string_view lithium_kg = "0.481149",
                                        const char* model = "M-1") {
  passport::v1::NewFact fact = FactAbout(battery, passport::v1::EVENT_TYPE_REGISTERED, "2024-05-01");
  passport::v1::IdentityPart identity;
  *identity.mutable_battery() = battery;
  identity.set_model(model);
  identity.mutable_manufactured()->set_year(2024);
  identity.mutable_manufactured()->set_month(5);
  *identity.mutable_rated_capacity_ah() = Number("114.6");
  AddPart(fact, passport::v1::PART_KIND_IDENTITY, identity);
  passport::v1::MaterialsPart materials;
  *materials.mutable_lithium_kg() = Number(lithium_kg);
  *materials.mutable_nickel_kg() = Number("2.44150");
  AddPart(fact, passport::v1::PART_KIND_MATERIALS, materials);
  return fact;
}

inline passport::v1::NewFact Measured(const common::v1::BatteryId& battery, const char* day,
                                      absl::string_view soh_percent) {
  passport::v1::NewFact fact = FactAbout(battery, passport::v1::EVENT_TYPE_CONDITION_MEASURED, day);
  passport::v1::ConditionPart condition;
  *condition.mutable_latest()->mutable_measured_at() = fact.occurred_at();
  *condition.mutable_latest()->mutable_soh_percent() = Number(soh_percent);
  condition.mutable_latest()->set_full_cycles(509);
  AddPart(fact, passport::v1::PART_KIND_CONDITION, condition);
  passport::v1::ConditionSeriesPart series;
  *series.add_points() = condition.latest();
  AddPart(fact, passport::v1::PART_KIND_CONDITION_SERIES, series);
  return fact;
}

// A measurement with a series of about 40 KiB.
inline passport::v1::NewFact LongSeries(const common::v1::BatteryId& battery, int number = 0) {
  passport::v1::NewFact fact = FactAbout(battery, passport::v1::EVENT_TYPE_CONDITION_MEASURED, "2025-01-01");
  passport::v1::ConditionPart condition;
  *condition.mutable_latest()->mutable_measured_at() = fact.occurred_at();
  condition.mutable_latest()->set_full_cycles(static_cast<uint64_t>(number));
  AddPart(fact, passport::v1::PART_KIND_CONDITION, condition);
  passport::v1::ConditionSeriesPart series;
  for (int i = 0; i < 1'500; ++i) {
    passport::v1::ConditionPoint& point = *series.add_points();
    *point.mutable_measured_at() = fact.occurred_at();
    point.mutable_measured_at()->set_seconds(fact.occurred_at().seconds() - 1'500 + i);
    *point.mutable_soh_percent() = Number("99.125");
    *point.mutable_capacity_ah() = Number("114.25");
  }
  AddPart(fact, passport::v1::PART_KIND_CONDITION_SERIES, series);
  return fact;
}

inline passport::v1::NewFact Mounted(const common::v1::BatteryId& battery, const char* day,
                                     const std::string& chassis_number, const std::string& vin = "",
                                     passport::v1::EventType type = passport::v1::EVENT_TYPE_MOUNTED) {
  passport::v1::NewFact fact = FactAbout(battery, type, day);
  passport::v1::VehiclePart vehicle;
  vehicle.set_chassis_number(chassis_number);
  vehicle.set_vin(vin);
  AddPart(fact, passport::v1::PART_KIND_VEHICLE, vehicle);
  return fact;
}

inline passport::v1::NewFact Attached(const common::v1::BatteryId& pack, const char* day,
                                      const common::v1::BatteryId& module) {
  passport::v1::NewFact fact = FactAbout(pack, passport::v1::EVENT_TYPE_MODULE_ATTACHED, day);
  passport::v1::StructurePart structure;
  *structure.add_children() = module;
  AddPart(fact, passport::v1::PART_KIND_STRUCTURE, structure);
  return fact;
}

inline passport::v1::NewFact Repaired(const common::v1::BatteryId& battery, const char* day,
                                      const std::string& description, const std::string& person = "") {
  passport::v1::NewFact fact = FactAbout(battery, passport::v1::EVENT_TYPE_REPAIRED, day);
  passport::v1::HistoryPart history;
  history.set_kind("repair");
  history.set_description(description);
  AddPart(fact, passport::v1::PART_KIND_HISTORY, history);
  if (!person.empty()) {
    passport::v1::PersonPart part;
    part.set_name(person);
    AddPart(fact, passport::v1::PART_KIND_PERSON, part);
  }
  return fact;
}

}  // namespace tsunagi::testing
