#include "identity/act.h"

#include "absl/strings/str_cat.h"
#include "core/base/proto.h"
#include "tsunagi/audit/v1/record.pb.h"

namespace tsunagi::identity {

std::string EncodeRecord(const ActRecord& record, absl::Time time) {
  audit::v1::Record leaf;
  *leaf.mutable_time() = ToProto(time);
  audit::v1::RegistrarRecord& act = *leaf.mutable_registrar();
  act.set_act(std::string(record.act));
  act.set_participant(std::string(record.participant));
  act.set_digest(record.digest);
  act.set_by(record.by);
  act.set_reason(std::string(record.reason));
  return Encode(leaf);
}

std::string ByOf(const Caller& caller) {
  return absl::StrCat(caller.did(), " ", caller.process(), caller.account().empty() ? "" : " ",
                      caller.account());
}

}  // namespace tsunagi::identity
