// API clients: the company's apps.
#pragma once

#include "absl/status/statusor.h"
#include "identity/people/rows.h"

namespace tsunagi::people {

inline constexpr int kMaxClients = 200;
// How long an old secret counts beside its successor.
inline constexpr absl::Duration kSecretOverlap = absl::Hours(7 * 24);

// Whether `secret` (text) is one of the client's that counts at `now`. Never for a client that was dropped
// or is over.
absl::StatusOr<bool> HasSecret(const StoredClient& client, absl::string_view secret, absl::Time now);

// Each change is one leaf and durable before it is answered. Blocks: never on a handler's thread.
// Thread-safe.
class Clients {
 public:
  // `context` must outlive the clients.
  explicit Clients(PeopleContext& context) : context_(context) {}

  // The secret is in no other place than this answer: ALREADY_EXISTS for a request that was answered.
  absl::StatusOr<v1::CreateClientResponse> Create(const Caller& caller,
                                                  const v1::CreateClientRequest& request);
  // FAILED_PRECONDITION while two secrets count, or when the client was dropped.
  absl::StatusOr<v1::RotateClientSecretResponse> Rotate(const Caller& caller,
                                                        const v1::RotateClientSecretRequest& request);
  // FAILED_PRECONDITION when there is no old secret to drop.
  absl::StatusOr<v1::DropClientResponse> Drop(const Caller& caller, const v1::DropClientRequest& request);
  absl::StatusOr<v1::ListClientsResponse> List(const v1::ListClientsRequest& request) const;

 private:
  absl::Status CheckNew(const v1::CreateClientRequest& request) const;
  absl::StatusOr<v1::Client> Show(const std::string& id, const StoredClient& stored) const;

  PeopleContext& context_;
};

}  // namespace tsunagi::people
