// A registrar in this process, whose clock the bench puts forward, and its operator.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/federation.h"
#include "bench/node.h"
#include "services/identity/registrar_process.h"
#include "tsunagi/identity/v1/trust_service.grpc.pb.h"

namespace tsunagi::bench {

// The product's registrar, over gRPC and EST on loopback. Its clock runs `behind` the machine's at first: TLS
// goes by the machine's, so it must not be ahead. Blocking.
class OwnRegistrar {
 public:
  static absl::StatusOr<std::unique_ptr<OwnRegistrar>> Start(const std::string& folder,
                                                             absl::Duration behind);

  Federation& federation() { return *federation_; }
  // Puts the registrar's clock forward.
  void Pass(absl::Duration time);

  // Rolls a key as the operator does; the id of the key that was made known or put into use.
  absl::StatusOr<std::string> Rotate(identity::v1::AuthorityKey key, bool put_into_use = false);
  // Whether its server shows a certificate of this issuing CA and accepts every root that counts, as far as
  // its files say.
  bool Follows(const std::string& issuing_key_id);

 private:
  explicit OwnRegistrar(absl::Duration behind) : behind_(behind) { clock_.Shift(-behind); }
  absl::Status EnrolOperator(const std::string& folder);

  absl::Duration behind_;
  ShiftedClock clock_;
  SystemRandom random_;
  std::string data_dir_;
  std::unique_ptr<identity::RegistrarProcess> process_;
  std::unique_ptr<Federation> federation_;
  std::unique_ptr<identity::v1::AuthorityService::Stub> authority_;
};

}  // namespace tsunagi::bench
