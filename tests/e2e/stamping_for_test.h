// A registrar and a node whose logs an authority on loopback stamps.
#pragma once

#include <string>
#include <utility>

#include "core/audit/stamp.h"
#include "core/base/proto.h"
#include "core/crypto/time_stamp.h"
#include "tests/e2e/process_for_test.h"
#include "tests/support/stamping_server.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::process {

class StampingTest : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    Set(config_.mutable_stamping_authority());
  }
  void Adjust(internal::v1::RegistrarConfig& config) override { Set(config.mutable_stamping_authority()); }

  void Set(internal::v1::StampingAuthority* authority) const {
    authority->set_url(authority_.Url("/stamp"));
    authority->set_root_file(authority_.root_file());
    authority->add_allowed_addresses("127.0.0.1");
  }

  audit::v1::LogProof Append(ParticipantProcess& process, const audit::v1::Record& record) {
    audit::Commit commit;
    commit.record = Encode(record);
    return process.journal().SubmitAndWait(std::move(commit)).value().proof;
  }
  static std::vector<audit::KeptStamp> StampsOf(const audit::Journal& journal) {
    return audit::StampsFrom(journal.store(), 0, 50).value();
  }

  const testing::StampingServer authority_;
};

}  // namespace tsunagi::process
