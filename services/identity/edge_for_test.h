// The registrar's HTTPS edge on loopback, with a registrar in memory behind it, and the public tools.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/file.h"
#include "gtest/gtest.h"
#include "identity/registrar_for_test.h"
#include "services/http/client.h"
#include "services/http/server.h"
#include "services/identity/edge.h"
#include "tests/support/run_program.h"

namespace tsunagi::identity {

inline crypto::PrivateKey NewKeyForTest() {
  return crypto::PrivateKey::Generate(common::v1::SIGNATURE_ALGORITHM_ES256);
}

using testing::RunProgram;

class EdgeForTest : public ::testing::Test {
 protected:
  static constexpr char kCurl[] = "/usr/bin/curl";
  static constexpr char kOpenssl[] = "/usr/bin/openssl";

  EdgeForTest() {
    registrar_.Register("maker");
    http::HttpsServerOptions options;
    options.listen = "127.0.0.1:0";
    const crypto::PrivateKey key = NewKeyForTest();
    options.key_pem = key.ToPem();
    const auto certificate = IssueServerCertificate(registrar_.authority, {"127.0.0.1"}, key.public_key(),
                                                    absl::Now(), absl::Hours(1))
                                 .value();
    options.certificate_pem =
        crypto::ToPem(certificate) + crypto::ToPem(registrar_.authority.issuing.certificate);
    server_ = http::HttpsServer::Start(options, [this](const http::HttpRequest& request) {
                return HandleEdge(*registrar_.registrar, request);
              }).value();
    url_ = absl::StrCat("https://127.0.0.1:", server_->port());
  }

  // The certificate of a process with key `key_`, as the registrar issues it.
  crypto::Certificate CertificateOf(const std::string& label, const std::string& process = "node",
                                    absl::Duration life = absl::Hours(1)) {
    return IssueProcessCertificate(registrar_.authority, {kFederation, label, process}, key_.public_key(),
                                   registrar_.clock.Now(), life)
        .value();
  }

  // A call of the edge; with a client certificate (of `key_`) unless that is absent.
  http::HttpsCall CallOf(const std::string& method, const std::string& path,
                         const crypto::Certificate* certificate = nullptr) const {
    http::HttpsCall call;
    call.method = method;
    call.url = url_ + path;
    call.root_pem = crypto::ToPem(root_);
    if (certificate != nullptr) {
      call.key_pem = key_.ToPem();
      call.certificate_pem = crypto::ToPem(*certificate);
    }
    return call;
  }
  http::HttpResponse Get(const std::string& path, const crypto::Certificate* certificate = nullptr) const {
    return http::Fetch(CallOf("GET", path, certificate)).value();
  }

  // TLS looks at the machine's clock.
  RegistrarForTest registrar_{absl::Now()};
  const crypto::Certificate root_ = registrar_.authority.root.certificate;
  const crypto::PrivateKey key_ = NewKeyForTest();
  std::unique_ptr<http::HttpsServer> server_;
  std::string url_;
};

}  // namespace tsunagi::identity
