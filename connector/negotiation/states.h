// The contract negotiation of the Dataspace Protocol as one transition table; native gRPC and DSP are
// bindings of it.
#pragma once

#include <array>

#include "tsunagi/connector/v1/policy.pb.h"

namespace tsunagi::connector {

// Who may make a transition.
enum class Side { kConsumer, kProvider, kEither };

struct Transition {
  v1::AgreementState from;
  v1::AgreementState to;
  Side by;
};

// FINALIZED and TERMINATED are final. In the native binding a consumer's request states beforehand that it
// verifies what it gets, so that one call makes the whole way to FINALIZED, persisted in one commit before it
// is answered.
inline constexpr std::array<Transition, 7> kTransitions = {{
    {v1::AGREEMENT_STATE_UNSPECIFIED, v1::AGREEMENT_STATE_REQUESTED, Side::kConsumer},
    {v1::AGREEMENT_STATE_REQUESTED, v1::AGREEMENT_STATE_AGREED, Side::kProvider},
    {v1::AGREEMENT_STATE_AGREED, v1::AGREEMENT_STATE_VERIFIED, Side::kConsumer},
    {v1::AGREEMENT_STATE_VERIFIED, v1::AGREEMENT_STATE_FINALIZED, Side::kProvider},
    {v1::AGREEMENT_STATE_REQUESTED, v1::AGREEMENT_STATE_TERMINATED, Side::kEither},
    {v1::AGREEMENT_STATE_AGREED, v1::AGREEMENT_STATE_TERMINATED, Side::kEither},
    {v1::AGREEMENT_STATE_VERIFIED, v1::AGREEMENT_STATE_TERMINATED, Side::kEither},
}};

constexpr bool MayMove(v1::AgreementState from, v1::AgreementState to, Side by) {
  for (const Transition& transition : kTransitions) {
    if (transition.from == from && transition.to == to)
      return transition.by == by || transition.by == Side::kEither;
  }
  return false;
}

}  // namespace tsunagi::connector
