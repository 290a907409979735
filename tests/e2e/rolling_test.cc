// Keys and authorities that are rolled while calls flow.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/file.h"
#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/crypto/certificate.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/identity/registrar_process.h"
#include "services/ops/operations_service.h"
#include "services/process/participant_process.h"
#include "services/process/registrar.h"
#include "services/rpc/status.h"
#include "tests/e2e/process_for_test.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/ops/v1/operations_service.grpc.pb.h"

namespace tsunagi::process {
namespace {

using testing::Eventually;
using testing::IsOk;

// Rolls the registrar's keys as its operator does.
class RollingTest : public ProcessTest {
 protected:
  void Rotate(identity::v1::AuthorityKey key, bool put_into_use = false) {
    identity::v1::RotateKeyRequest request;
    request.set_request_id(NewUuid(random_));
    request.set_key(key);
    request.set_reason("test");
    request.set_put_into_use(put_into_use);
    ASSERT_THAT(registrar_->registrar().anchors().Rotate(operator_, request), IsOk());
  }
  std::shared_ptr<const identity::Bundle> Newest() { return registrar_->registrar().trust().View()->bundle; }
  // The process believes what the registrar does, and both servers accept every root: their files were read
  // again, which takes a second that nothing announces.
  void WaitUntilKnown(ParticipantProcess& process) {
    const std::string roots = registrar_->registrar().trust().RootsPem();
    int polls = 0;
    ASSERT_TRUE(Eventually([&] {
      const bool written = process.trust().View()->bundle->version == Newest()->version &&
                           ReadFile(dir_.File("node/root.crt"), 1 << 20).value_or("") == roots &&
                           ReadFile(dir_.File("registrar/root.crt"), 1 << 20).value_or("") == roots;
      polls = written ? polls + 1 : 0;
      return polls > 100;
    }));
  }
  // Process and registrar show certificates under the issuing CA that is in use.
  bool Renewed() { return IsUnderIssuing("node/tls.crt") && IsUnderIssuing("registrar/tls.crt"); }
  bool IsUnderIssuing(const std::string& file) {
    const auto chain = crypto::ParseCertificatesPem(ReadFile(dir_.File(file), 1 << 20).value());
    return chain.ok() && chain->size() == 2 &&
           (*chain)[1].der == registrar_->registrar().context().authority.Get()->issuing.certificate.der;
  }
  // Calls the registrar and the process itself, the way that every process calls others.
  static absl::Status CallBoth(ParticipantProcess& process) {
    ASSIGN_OR_RETURN(const auto to_registrar, process.ChannelToRegistrar());
    Registrar registrar(to_registrar);
    RETURN_IF_ERROR(registrar.GetStatusList(0).status());
    ASSIGN_OR_RETURN(const auto to_node, process.ChannelTo("oem", "node"));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    ops::v1::GetHealthResponse response;
    return rpc::FromGrpcStatus(ops::v1::OperationsService::NewStub(to_node)->GetHealth(
        &context, ops::v1::GetHealthRequest(), &response));
  }
};

TEST_F(RollingTest, NoCallFailsWhileEveryKeyIsRolled) {
  const auto process = Start();
  ASSERT_NE(process, nullptr);
  Running running(*process);
  ASSERT_TRUE(Eventually([&] { return CallBoth(*process).ok(); }));
  std::atomic<bool> stop = false;
  std::atomic<int> calls = 0;
  std::vector<std::string> failed;  // of the calling thread, until it is joined
  std::thread load([&] {
    while (!stop) {
      const absl::Status status = CallBoth(*process);
      ++calls;
      if (!status.ok()) failed.push_back(std::string(status.message()));
    }
  });

  Rotate(identity::v1::AUTHORITY_KEY_TOKEN);
  Rotate(identity::v1::AUTHORITY_KEY_ISSUING);
  WaitUntilKnown(*process);
  Rotate(identity::v1::AUTHORITY_KEY_ISSUING, true);
  EXPECT_TRUE(Eventually([&] { return Renewed(); }));
  Rotate(identity::v1::AUTHORITY_KEY_DIRECTORY);
  Rotate(identity::v1::AUTHORITY_KEY_STATUS);
  Rotate(identity::v1::AUTHORITY_KEY_ROOT);
  WaitUntilKnown(*process);
  Rotate(identity::v1::AUTHORITY_KEY_ROOT, true);
  EXPECT_TRUE(Eventually([&] { return Renewed(); }));
  const int before = calls;
  EXPECT_TRUE(Eventually([&] { return calls > before + 10; }));

  stop = true;
  load.join();
  EXPECT_THAT(failed, ::testing::IsEmpty()) << calls << " calls";
  EXPECT_EQ(process->trust().View()->bundle->RootsAt(absl::Now()).size(), 2u);
}

TEST_F(RollingTest, AProcessThatWasAwayFollowsTheNewRoot) {
  {
    const auto process = Start();
    ASSERT_NE(process, nullptr);
  }
  Rotate(identity::v1::AUTHORITY_KEY_ROOT);
  Rotate(identity::v1::AUTHORITY_KEY_ROOT, true);
  registrar_.reset();
  StartRegistrar(address_, est_address_);

  const auto process = Start();

  ASSERT_NE(process, nullptr);
  EXPECT_EQ(process->trust().View()->bundle->version, Newest()->version);
  EXPECT_THAT(Registrar(process->ChannelToRegistrar().value()).GetStatusList(0), IsOk());
}

}  // namespace
}  // namespace tsunagi::process
