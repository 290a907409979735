// Asks a provider as an outsider would and prints what came back, to the last byte of metadata: the demo
// compares the answers for existing and missing identifiers. A line `release|find|agree battery DID SERIAL`
// or `release|agree vehicle TEXT` on standard input gives one JSON line.
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cli/profile.h"
#include "core/base/bytes.h"
#include "core/base/random.h"
#include "grpcpp/client_context.h"
#include "nlohmann/json.hpp"
#include "services/rpc/channel.h"
#include "tsunagi/catalog/v1/catalog_service.grpc.pb.h"
#include "tsunagi/connector/v1/connector_service.grpc.pb.h"

namespace {

using namespace tsunagi;  // NOLINT: a tool of one file

constexpr char kPurpose[] = "reuse-assessment";

struct Services {
  std::unique_ptr<connector::v1::ConnectorService::Stub> connector;
  std::unique_ptr<catalog::v1::CatalogService::Stub> catalog;
};

nlohmann::json MetadataJson(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [key, value] : metadata) {
    list.push_back(
        {std::string(key.data(), key.size()), ToHex(absl::string_view(value.data(), value.size()))});
  }
  return list;
}

common::v1::Subject SubjectOf(const std::vector<std::string>& words) {
  common::v1::Subject subject;
  if (words.at(1) == "vehicle") {
    subject.set_vehicle(words.at(2));
  } else {
    subject.mutable_battery()->set_manufacturer(words.at(2));
    subject.mutable_battery()->set_serial(words.at(3));
  }
  return subject;
}

grpc::Status Release(Services& services, grpc::ClientContext& context, const common::v1::Subject& subject) {
  connector::v1::ReleaseRequest request;
  request.set_agreement("cell-maker-aaaaaaaaaaaaaaaaaaaaaaaaaa");
  *request.mutable_subject() = subject;
  request.add_sections(common::v1::SECTION_IDENTITY);
  request.add_sections(common::v1::SECTION_CONDITION);
  request.set_purpose(kPurpose);
  connector::v1::ReleaseResponse response;
  return services.connector->Release(&context, request, &response);
}

grpc::Status Agree(Services& services, grpc::ClientContext& context, const common::v1::Subject& subject) {
  SystemRandom random;
  connector::v1::RequestAgreementRequest request;
  request.set_request_id(NewUuid(random));
  *request.mutable_subject() = subject;
  request.add_sections(common::v1::SECTION_IDENTITY);
  request.add_sections(common::v1::SECTION_LOOKUP);
  request.set_purpose(kPurpose);
  connector::v1::RequestAgreementResponse response;
  return services.connector->RequestAgreement(&context, request, &response);
}

grpc::Status Find(Services& services, grpc::ClientContext& context, const common::v1::Subject& subject) {
  catalog::v1::FindHoldersRequest request;
  *request.mutable_battery() = subject.battery();
  catalog::v1::FindHoldersResponse response;
  return services.catalog->FindHolders(&context, request, &response);
}

nlohmann::json Ask(Services& services, const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  const common::v1::Subject subject = SubjectOf(words);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  const grpc::Status status = words[0] == "release" ? Release(services, context, subject)
                              : words[0] == "agree" ? Agree(services, context, subject)
                                                    : Find(services, context, subject);
  return {{"code", static_cast<int>(status.error_code())},
          {"message", status.error_message()},
          {"details", ToHex(status.error_details())},
          {"initial_metadata", MetadataJson(context.GetServerInitialMetadata())},
          {"trailing_metadata", MetadataJson(context.GetServerTrailingMetadata())}};
}

int Fail(const absl::Status& status) {
  std::cerr << "demo_raw_probe: " << status << "\n";
  return 1;
}

}  // namespace

// demo_raw_probe PROFILE CONNECTOR-ADDRESS CONNECTOR-DNS-NAME CATALOG-ADDRESS CATALOG-DNS-NAME
int main(int argc, char** argv) {
  if (argc != 6)
    return Fail(absl::InvalidArgumentError("expected PROFILE and address and DNS name of both services"));
  const cli::Profile profile(argv[1]);
  const auto credentials = profile.LoadCredentials();
  if (!credentials.ok()) return Fail(credentials.status());
  const auto token = profile.LoadToken(credentials->chain.front());
  if (!token) return Fail(absl::NotFoundError("the profile has no token: run a tsunagi command first"));
  std::string chain;
  for (const auto& certificate : credentials->chain) chain += crypto::ToPem(certificate);
  const auto channel = [&](int at) {
    return rpc::NewChannel(argv[at], argv[at + 1], credentials->key.ToPem(), chain,
                           crypto::ToPem(credentials->root), token->token);
  };
  Services services{connector::v1::ConnectorService::NewStub(channel(2)),
                    catalog::v1::CatalogService::NewStub(channel(4))};
  for (std::string line; std::getline(std::cin, line);) std::cout << Ask(services, line).dump() << std::endl;
  return 0;
}
