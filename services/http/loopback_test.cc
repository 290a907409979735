// The listener for a browser that comes back, with browsers that are plain sockets.
#include "services/http/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;

class LoopbackTest : public ::testing::Test {
 protected:
  ~LoopbackTest() override {
    for (const int connection : open_) ::close(connection);
  }

  int Connect() {
    const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(listener_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    open_.push_back(connection);
    return connection;
  }
  // The answer to a request.
  std::string Ask(const std::string& line) {
    const int connection = Connect();
    const std::string request = absl::StrCat(line, " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    EXPECT_EQ(::send(connection, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char bytes[1024];
    for (ssize_t size = 0; (size = ::recv(connection, bytes, sizeof bytes, 0)) > 0;) {
      answer.append(bytes, static_cast<size_t>(size));
    }
    return answer;
  }
  std::future<absl::StatusOr<Form>> Wait() {
    return std::async(std::launch::async, [this] { return listener_->Wait("right", absl::Seconds(60)); });
  }

  const std::unique_ptr<LoopbackListener> listener_ = LoopbackListener::Open(0).value();
  std::vector<int> open_;
};

TEST_F(LoopbackTest, TakesWhatTheBrowserBrings) {
  auto brought = Wait();

  const std::string answer = Ask("GET /callback?code=a%2Fb&state=right&iss=https%3A%2F%2Flogin.oem.example");

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("no-store"));
  const absl::StatusOr<Form> form = brought.get();
  ASSERT_THAT(form, IsOk());
  EXPECT_EQ(form->at("code"), "a/b");
  EXPECT_EQ(form->at("iss"), "https://login.oem.example");
}

TEST_F(LoopbackTest, IgnoresEverythingElse) {
  auto brought = Wait();

  Connect();  // and says nothing
  EXPECT_THAT(Ask("GET /favicon.ico"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("GET /callback"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("POST /callback?code=x&state=right"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("GET /callback?code=x"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET /callback?code=x&state=wrong"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET /callback?code=x&state=right&state=right"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET /callback?code=%zz&state=right"), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(Ask("nonsense"), "");
  EXPECT_EQ(Ask(absl::StrCat("GET /callback?state=right&code=", std::string(20000, 'x'))), "");
  EXPECT_THAT(Ask("GET /callback?code=mine&state=right"), StartsWith("HTTP/1.1 200"));

  EXPECT_EQ(brought.get()->at("code"), "mine");
}

TEST_F(LoopbackTest, GivesUpInTheEnd) {
  EXPECT_THAT(listener_->Wait("right", absl::Milliseconds(20)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(LoopbackTest, SaysWhenThePortIsTaken) {
  EXPECT_THAT(LoopbackListener::Open(listener_->port()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(absl::StrCat(listener_->port()))));
}

}  // namespace
}  // namespace tsunagi::http
