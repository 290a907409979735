// What a guard sees of a connection.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/auth_context.h"

namespace tsunagi::testing {

class NoProperties : public grpc::AuthPropertyIterator {
 public:
  NoProperties() = default;
};

// A connection that shows these certificates.
class FakeConnection final : public grpc::AuthContext {
 public:
  explicit FakeConnection(std::vector<std::string> pems) : pems_(std::move(pems)) {}
  bool IsPeerAuthenticated() const override { return !pems_.empty(); }
  std::vector<grpc::string_ref> GetPeerIdentity() const override { return {}; }
  std::string GetPeerIdentityPropertyName() const override { return ""; }
  std::vector<grpc::string_ref> FindPropertyValues(const std::string& name) const override {
    if (name != GRPC_X509_PEM_CERT_PROPERTY_NAME) return {};
    return {pems_.begin(), pems_.end()};
  }
  grpc::AuthPropertyIterator begin() const override { return NoProperties(); }
  grpc::AuthPropertyIterator end() const override { return NoProperties(); }
  void AddProperty(const std::string&, const grpc::string_ref&) override {}
  bool SetPeerIdentityPropertyName(const std::string&) override { return false; }

 private:
  const std::vector<std::string> pems_;
};

}  // namespace tsunagi::testing
