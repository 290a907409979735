#include "services/passport/service.h"

#include <utility>

#include "core/base/status_macros.h"
#include "identity/mandates.h"
#include "passport/records/view.h"
#include "services/rpc/reply.h"

namespace tsunagi::passport {
namespace {

absl::StatusOr<v1::ReadPartsResponse> ReadUnderGrant(const RecordReader& reader, grant::Unsealer& unsealer,
                                                     const v1::ReadPartsRequest& request) {
  ASSIGN_OR_RETURN(const grant::Grant grant, unsealer.Open(request.grant()));
  const std::vector<common::v1::Subject> subjects(request.subjects().begin(), request.subjects().end());
  ASSIGN_OR_RETURN(v1::ReadPartsResponse response, reader.ReadParts(grant, subjects));
  response.clear_read_keys();  // they are of this process's journal
  return response;
}

}  // namespace

std::vector<rpc::AccessRow> PassportRows() {
  using rpc::Who;
  return {
      {"/tsunagi.passport.v1.PassportService/ImportFacts", Who::kOwnOperator, "", people::kOperator,
       identity::kScopePassportImport},
      {"/tsunagi.passport.v1.PassportService/GetPassport", Who::kOwnOperator, "", people::kViewer,
       identity::kScopePassportShow},
      {"/tsunagi.passport.v1.PassportService/EraseParts", Who::kOwnOperator, "", people::kOperator,
       identity::kScopeErase},
      {"/tsunagi.passport.v1.PassportService/ProposeAmendment", Who::kOwnOperator, "", people::kOperator,
       identity::kScopeAmendment},
      {"/tsunagi.passport.v1.PassportService/ReadParts", Who::kOwnProcess, "connector"},
  };
}

grpc::ServerUnaryReactor* PassportService::ImportFacts(grpc::CallbackServerContext* context,
                                                       const v1::ImportFactsRequest* request,
                                                       v1::ImportFactsResponse* response) {
  return guard_.ServeInScope(context, identity::kScopePassportImport,
                             rpc::OnPool(workers_, response, [this, request](const Caller& caller) {
                               return node_.writer().ImportFacts(caller, *request);
                             }));
}

grpc::ServerUnaryReactor* PassportService::GetPassport(grpc::CallbackServerContext* context,
                                                       const v1::GetPassportRequest* request,
                                                       v1::GetPassportResponse* response) {
  return guard_.ServeInScope(context, identity::kScopePassportShow,
                             rpc::OnPool(workers_, response, [this, request](const Caller& caller) {
                               return passport::ShowPassport(node_.context(), caller, request->subject());
                             }));
}

grpc::ServerUnaryReactor* PassportService::EraseParts(grpc::CallbackServerContext* context,
                                                      const v1::ErasePartsRequest* request,
                                                      v1::ErasePartsResponse* response) {
  return guard_.ServeInScope(context, identity::kScopeErase,
                             rpc::OnPool(workers_, response, [this, request](const Caller& caller) {
                               return node_.eraser().EraseParts(caller, *request);
                             }));
}

grpc::ServerUnaryReactor* PassportService::ProposeAmendment(grpc::CallbackServerContext* context,
                                                            const v1::ProposeAmendmentRequest* request,
                                                            v1::ProposeAmendmentResponse* response) {
  return guard_.ServeInScope(context, identity::kScopeAmendment,
                             rpc::OnPool(workers_, response, [this, request](const Caller& caller) {
                               return node_.writer().ProposeAmendment(caller, *request);
                             }));
}

grpc::ServerUnaryReactor* PassportService::ReadParts(grpc::CallbackServerContext* context,
                                                     const v1::ReadPartsRequest* request,
                                                     v1::ReadPartsResponse* response) {
  return guard_.Serve(context, [=, this](const Caller&, const rpc::Finish& finish) {
    absl::StatusOr<v1::ReadPartsResponse> read = ReadUnderGrant(node_.reader(), unsealer_, *request);
    if (read.ok()) *response = *std::move(read);
    finish(read.status());
  });
}

}  // namespace tsunagi::passport
