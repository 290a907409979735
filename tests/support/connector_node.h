// A participant's connector over passport records in memory, and a federation of such nodes without a
// network.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "connector/enforcer.h"
#include "connector/lookup_counter.h"
#include "connector/negotiation/agreements.h"
#include "connector/negotiation/obtain.h"
#include "connector/policy_store.h"
#include "connector/transfer/ask.h"
#include "connector/transfer/preview.h"
#include "connector/transfer/release.h"
#include "connector/transfer/resolve.h"
#include "connector/transfer/stream.h"
#include "core/audit/denial_log.h"
#include "core/base/config.h"
#include "gtest/gtest.h"
#include "tests/support/caller.h"
#include "tests/support/passport_node.h"

namespace tsunagi::testing {

// The result of a call that ends with a Done.
template <typename T>
absl::StatusOr<T> Await(const std::function<void(std::function<void(absl::StatusOr<T>)>)>& call) {
  auto result = std::make_shared<std::promise<absl::StatusOr<T>>>();
  call([result](absl::StatusOr<T> value) { result->set_value(std::move(value)); });
  return result->get_future().get();
}

// Counts reads, and can change something right before or after one.
class CountingSource final : public grant::PassportSource {
 public:
  explicit CountingSource(passport::RecordReader& reader) : reader_(reader) {}

  void ReadParts(const grant::Grant& grant, absl::Span<const common::v1::Subject> subjects,
                 Done done) override {
    ++reads;
    auto parts = reader_.ReadParts(grant, subjects);
    if (parts.ok() && change) change(*parts);
    done(std::move(parts));
  }

  std::atomic<int> reads = 0;
  std::function<void(passport::v1::ReadPartsResponse&)> change;

 private:
  passport::RecordReader& reader_;
};

// Other nodes in this process.
class FakeFederation final : public connector::Federation {
 public:
  using Sections = std::vector<common::v1::Section>;

  absl::StatusOr<connector::v1::RequestAgreementResponse> RequestAgreement(
      absl::string_view participant, const connector::v1::RequestAgreementRequest& request) override;
  absl::StatusOr<connector::v1::ReleaseResponse> Release(
      absl::string_view participant, const connector::v1::ReleaseRequest& request) override;
  absl::StatusOr<catalog::v1::FindHoldersResponse> FindHolders(
      absl::string_view participant, const catalog::v1::FindHoldersRequest&) override {
    const auto it = holders.find(std::string(participant));
    if (it == holders.end()) return absl::NotFoundError("not found");
    return it->second;
  }
  absl::Status FileNotices(absl::string_view participant,
                           const catalog::v1::FileNoticesRequest& request) override {
    if (unreachable.contains(std::string(participant))) return absl::UnavailableError("away");
    filed[std::string(participant)].push_back(request);
    return absl::OkStatus();
  }

  // As whom the node that uses this federation calls.
  std::shared_ptr<Caller> caller;
  std::map<std::string, class TestConnectorNode*> nodes;  // by DID
  std::set<std::string> unreachable;
  std::map<std::string, catalog::v1::FindHoldersResponse> holders;
  std::map<std::string, std::vector<catalog::v1::FileNoticesRequest>> filed;
  // Changes answers on their way.
  std::function<void(connector::v1::RequestAgreementResponse&)> change_agreement;
  std::function<void(connector::v1::ReleaseResponse&)> change_release;
  std::atomic<int> agreements_asked = 0;
};

// One node. Its log is the one of its TestPassportNode.
class TestConnectorNode {
 public:
  TestConnectorNode(TestFederation& trust, FakeClock& fake_clock, const std::string& own_label,
                    uint64_t seed = 1)
      : clock(fake_clock),
        label(own_label),
        records(trust, fake_clock, own_label, seed),
        random(seed + 1'000),
        own{records.did(),
            own_label,
            trust.name(),
            "connector",
            "passport",
            records.context().signing_key,
            "node key of " + own_label},
        source(records.reader()),
        policies(connector::PolicyStore::Open(records.journal(), clock).value()),
        table(records.journal()),
        denials(records.journal(), clock),
        lookups(records.journal()),
        enforcer(own, *policies, table, clock, random),
        agreements(own, *policies, table, denials, records.journal(), clock, random),
        releases(own, enforcer, source, lookups, denials, records.journal(), trust.trust(), clock),
        chunks(own, enforcer, source, denials, records.journal(), clock),
        previews(own, enforcer, *policies, table, source, trust.trust(), clock),
        obtained(own, table, federation, records.journal(), clock, random),
        holders(own, obtained, federation, releases),
        resolver(own, holders, federation, trust.trust(), clock) {}

  const std::string& did() const { return own.did; }
  Caller Operator() const { return CallerForTest::Make(own.did, label, "operator"); }

  absl::StatusOr<uint64_t> SetPolicies(absl::string_view yaml) {
    connector::v1::SetPoliciesRequest request;
    request.set_request_id(NewUuid(random));
    absl::Status parsed = ParseYaml(yaml, "policies", *request.mutable_policies());
    if (!parsed.ok()) return parsed;
    auto set = SetPolicies(request);
    if (!set.ok()) return set.status();
    return set->version();
  }
  absl::StatusOr<connector::v1::SetPoliciesResponse> SetPolicies(
      const connector::v1::SetPoliciesRequest& request) {
    return Await<connector::v1::SetPoliciesResponse>(
        [&](auto done) { policies->Set(Operator(), request, std::move(done)); });
  }

  connector::v1::RequestAgreementRequest AgreementRequest(const std::vector<common::v1::Section>& sections,
                                                          const std::string& purpose = "reuse") {
    connector::v1::RequestAgreementRequest request;
    request.set_request_id(NewUuid(random));
    for (const common::v1::Section section : sections) request.add_sections(section);
    request.set_purpose(purpose);
    return request;
  }
  absl::StatusOr<connector::v1::RequestAgreementResponse> Agree(
      const Caller& caller, const connector::v1::RequestAgreementRequest& request) {
    return Await<connector::v1::RequestAgreementResponse>(
        [&](auto done) { agreements.Request(caller, request, std::move(done)); });
  }
  absl::StatusOr<connector::v1::Agreement> Agree(const Caller& caller,
                                                 const std::vector<common::v1::Section>& sections,
                                                 const std::string& purpose = "reuse") {
    auto response = Agree(caller, AgreementRequest(sections, purpose));
    if (!response.ok()) return response.status();
    connector::v1::Agreement agreement;
    agreement.ParseFromString(response->agreement().payload());
    return agreement;
  }

  static connector::v1::ReleaseRequest RequestOf(const std::string& agreement,
                                                 const common::v1::Subject& subject,
                                                 const std::vector<common::v1::Section>& sections,
                                                 const std::string& purpose = "reuse") {
    connector::v1::ReleaseRequest request;
    request.set_agreement(agreement);
    *request.mutable_subject() = subject;
    for (const common::v1::Section section : sections) request.add_sections(section);
    request.set_purpose(purpose);
    return request;
  }
  absl::StatusOr<connector::v1::ReleaseResponse> Release(const Caller& caller,
                                                         const connector::v1::ReleaseRequest& request) {
    return Await<connector::v1::ReleaseResponse>(
        [&](auto done) { releases.Release(caller, request, std::move(done)); });
  }
  absl::StatusOr<connector::v1::ReleasedContent> Content(const Caller& caller,
                                                         const connector::v1::ReleaseRequest& request) {
    auto response = Release(caller, request);
    if (!response.ok()) return response.status();
    connector::v1::ReleasedContent content;
    content.ParseFromString(response->content());
    return content;
  }

  // Every record of the log, once what was submitted is in it.
  std::vector<audit::v1::Record> Records() {
    audit::Commit barrier;
    barrier.writes.push_back(store::Put(store::Table::kState, "test-barrier", ""));
    records.journal().SubmitAndWait(std::move(barrier)).IgnoreError();
    std::vector<audit::v1::Record> found;
    const std::vector<audit::Journal::Leaf> leaves = records.journal().Leaves(0, 1'000'000).value();
    for (const audit::Journal::Leaf& leaf : leaves) {
      found.emplace_back().ParseFromString(leaf.record);
    }
    return found;
  }
  std::vector<audit::v1::DenialRecord> Denials() {
    std::vector<audit::v1::DenialRecord> found;
    for (const audit::v1::Record& record : Records()) {
      if (record.has_denial()) found.push_back(record.denial());
    }
    return found;
  }

  FakeClock& clock;
  const std::string label;
  TestPassportNode records;
  FakeRandom random;
  const connector::OwnNode own;
  FakeFederation federation;
  CountingSource source;
  std::unique_ptr<connector::PolicyStore> policies;
  connector::AgreementTable table;
  audit::DenialLog denials;
  connector::LookupCounter lookups;
  connector::Enforcer enforcer;
  connector::Agreements agreements;
  connector::Releases releases;
  connector::ChunkReleases chunks;
  connector::Previews previews;
  connector::ObtainedAgreements obtained;
  connector::HolderClient holders;
  connector::Resolver resolver;
};

inline absl::StatusOr<connector::v1::RequestAgreementResponse> FakeFederation::RequestAgreement(
    absl::string_view participant, const connector::v1::RequestAgreementRequest& request) {
  ++agreements_asked;
  const auto node = nodes.find(std::string(participant));
  if (node == nodes.end() || unreachable.contains(std::string(participant)))
    return absl::UnavailableError("away");
  auto response = node->second->Agree(*caller, request);
  if (response.ok() && change_agreement) change_agreement(*response);
  return response;
}

inline absl::StatusOr<connector::v1::ReleaseResponse> FakeFederation::Release(
    absl::string_view participant, const connector::v1::ReleaseRequest& request) {
  const auto node = nodes.find(std::string(participant));
  if (node == nodes.end() || unreachable.contains(std::string(participant)))
    return absl::UnavailableError("away");
  auto response = node->second->Release(*caller, request);
  if (response.ok() && change_release) change_release(*response);
  return response;
}

// A cell maker with one module that it registered, measured, mounted on a vehicle and repaired, and a dealer
// that asks.
class ConnectorTest : public ::testing::Test {
 protected:
  static constexpr char kChassis[] = "ZE1-000123";

  ConnectorTest() {
    maker.records
        .Import({Registered(battery), Measured(battery, "2025-01-01", "91.5"),
                 Mounted(battery, "2024-06-01", kChassis),
                 Repaired(battery, "2025-02-01", "bus bar", "Suzuki Taro")})
        .IgnoreError();
  }

  Caller CallerOf(const std::string& label, std::vector<std::string> roles) const {
    return CallerForTest::Make(federation.DidOf(label), label, "node", std::move(roles));
  }
  // The kinds of parts that the content shows.
  static policy::PartMask Shown(const connector::v1::ReleasedContent& content) {
    policy::PartMask mask = 0;
    passport::v1::EventSet set;
    set.ParseFromString(content.events());
    for (const passport::v1::EventDisclosure& event : set.events()) {
      passport::v1::EventHeader header;
      header.ParseFromString(event.header());
      for (int slot = 0; slot < event.slots_size(); ++slot) {
        if (event.slots(slot).has_open()) mask |= policy::BitOf(header.slots(slot));
      }
    }
    return mask;
  }
  static std::map<common::v1::Section, std::string> Withheld(const connector::v1::ReleasedContent& content) {
    std::map<common::v1::Section, std::string> reasons;
    for (const connector::v1::WithheldSection& withheld : content.withheld()) {
      reasons[withheld.section()] = withheld.reason();
    }
    return reasons;
  }

  FakeClock clock;
  TestFederation federation{clock};
  TestRegistrar registrar{federation, clock};
  TestConnectorNode maker{federation, clock, "maker"};
  const common::v1::BatteryId battery = Battery(maker.did(), "M-1");
  const common::v1::Subject subject = SubjectOf(battery);
  const Caller dealer = CallerOf("dealer", {"dealer"});
  const Caller outsider = CallerOf("outsider", {"insurer"});
};

}  // namespace tsunagi::testing
