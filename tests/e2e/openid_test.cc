// People sign in through a real OpenID Connect provider: the command line, a registrar's process,
// oidc-provider with its login form, and a person with a browser.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/e2e/command_line.h"
#include "tests/support/eventually.h"
#include "tests/support/run_program.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::e2e {
namespace {

using testing::HasSubstr;

constexpr char kModules[] = TSUNAGI_SOURCE_DIR "/.cache/npm/node_modules";
constexpr char kSecret[] = "a-secret-of-the-client-of-this-test";

std::string SourceFile(absl::string_view name) {
  return absl::StrCat(TSUNAGI_SOURCE_DIR, "/tests/e2e/", name);
}

// oidc-provider in a process of its own, behind a certificate of its own authority (RSA).
class Provider {
 public:
  Provider(std::string folder, const std::string& algorithm, const std::string& secret)
      : folder_(std::move(folder)) {
    std::filesystem::create_directory(folder_);
    EXPECT_TRUE(testing::RunProgram(
        {"/bin/sh", "-ec",
         R"(cd "$0"; exec 2>openssl.log; new="openssl req -x509 -newkey rsa:2048 -nodes -days 2"
            $new -keyout ca.key -out ca.crt -subj /CN=authority
            $new -keyout tls.key -out tls.crt -subj /CN=provider -CA ca.crt -CAkey ca.key \
              -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE)",
         folder_}))
        << "no openssl: run ./dev setup";
    std::vector<std::string> arguments = {"/usr/bin/env", "node",  SourceFile("openid_provider.mjs"),
                                          kModules,       folder_, algorithm};
    if (!secret.empty()) arguments.push_back(secret);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&process_, argv[0], nullptr, nullptr, argv.data(), environ), 0);
    // Node.js reads some hundred files first, which takes its time on a busy machine.
    const auto serves = [this] { return std::filesystem::exists(folder_ + "/issuer"); };
    EXPECT_TRUE(testing::Eventually(serves) || testing::Eventually(serves) || testing::Eventually(serves))
        << "the provider does not start: is Node.js there? run ./dev setup";
  }
  ~Provider() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  std::string issuer() const { return ReadFile(folder_ + "/issuer", 1000).value(); }
  std::string ca_file() const { return folder_ + "/ca.crt"; }

 private:
  const std::string folder_;
  pid_t process_ = 0;
};

// What the command line tells a person, and the page that it names, as soon as it does.
class Screen : public std::stringbuf {
 public:
  std::future<std::string> Page() { return page_.get_future(); }
  // No page comes any more.
  void Close() { Show(""); }

 protected:
  int sync() override {
    for (const absl::string_view line : absl::StrSplit(str(), '\n')) {
      if (absl::StartsWith(line, "https://")) Show(std::string(line));
    }
    return 0;
  }

 private:
  void Show(const std::string& page) {
    if (!std::exchange(shown_, true)) page_.set_value(page);
  }
  std::promise<std::string> page_;
  bool shown_ = false;
};

class OpenIdTest : public RegistrarCommandsTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(absl::StrCat(kModules, "/oidc-provider/package.json")))
        << "oidc-provider is not in " << kModules << ": run ./dev setup";
  }

  // Serves people of `provider`, with an operator that is enrolled.
  void Start(const Provider& provider, const std::string& secret, const std::string& claim = "") {
    internal::v1::RegistrarConfig config;
    internal::v1::OpenIdProvider& openid = *config.mutable_openid_provider();
    openid.set_issuer(provider.issuer());
    openid.set_client_id("tsunagi-node");
    openid.set_ca_file(provider.ca_file());
    openid.add_allowed_addresses("127.0.0.1");
    if (!secret.empty()) openid.set_client_secret_file(Secret("client-secret", secret));
    if (!claim.empty()) {
      openid.set_account_claim(claim);
      openid.add_scopes(claim);
    }
    StartRegistrar(config);
    EnrolFirst();
    const std::string password = Secret("password", "correct horse battery");
    admin_ =
        Done({"account", "create", "--name", "Sato", "--role", "administrator", "--password-file", password})
            .value("id", "");
    SignInAsAdmin();
  }
  void SignInAsAdmin() { Done({"sign-in", admin_, "--password-file", dir_.File("password")}); }

  // `tsunagi sign-in --openid` beside a browser in which `login` signs in; nobody when empty.
  Result SignIn(const Provider& provider, const std::string& login) const {
    Screen screen;
    std::future<std::string> page = screen.Page();
    std::future<Result> result = std::async(std::launch::async, [&] {
      std::ostream err(&screen);
      Result done = RunTsunagi(dir_.File("profile"), {"sign-in", "--openid"}, err);
      screen.Close();
      done.err = screen.str();
      return done;
    });
    const std::string url = page.get();
    if (!url.empty()) {
      std::vector<std::string> person = {"/usr/bin/env", "node", SourceFile("openid_person.mjs"), url,
                                         provider.ca_file()};
      if (!login.empty()) person.push_back(login);
      EXPECT_TRUE(testing::RunProgram(person));
    }
    return result.get();
  }

  std::string admin_;
};

TEST_F(OpenIdTest, SignsInThroughAConfidentialClientAndOut) {
  const Provider provider(dir_.File("provider"), "RS256", kSecret);
  Start(provider, kSecret);
  const std::string viewer =
      Done({"account", "create", "--name", "Suzuki", "--role", "viewer", "--subject", "jiro"})
          .value("id", "");
  Done({"account", "link", admin_, "--subject", "hanako"});
  Done({"sign-out"});

  const Result result = SignIn(provider, "hanako");

  ASSERT_EQ(result.code, cli::kExitOk) << result.err;
  EXPECT_EQ(result.json().value("account", ""), admin_);
  const nlohmann::json listed = Done({"account", "list"});
  EXPECT_EQ(listed["accounts"].size(), 2);
  Done({"sign-out"});
  EXPECT_THAT(Tsunagi({"account", "list"}).err, HasSubstr("tsunagi sign-in"));

  ASSERT_EQ(SignIn(provider, "jiro").code, cli::kExitOk);
  EXPECT_THAT(Tsunagi({"account", "list"}).err, HasSubstr("expected `administrator`"));
  EXPECT_THAT(Tsunagi({"sign-in", viewer, "--password-file", dir_.File("password")}).err,
              HasSubstr("is wrong"));
}

TEST_F(OpenIdTest, RefusesWhoIsNotLinkedAndWhoTurnsBack) {
  const Provider provider(dir_.File("provider"), "ES256", "");
  Start(provider, "");
  Done({"account", "link", admin_, "--subject", "hanako"});
  Done({"sign-out"});

  const Result turned_back = SignIn(provider, "");
  EXPECT_EQ(turned_back.code, cli::kExitError);
  EXPECT_THAT(turned_back.err, HasSubstr("access_denied"));
  // Each that comes to nothing makes the next one wait.
  EXPECT_TRUE(testing::Eventually(
      [&] { return absl::StrContains(SignIn(provider, "stranger").err, "ask an administrator"); }));
  EXPECT_TRUE(testing::Eventually([&] { return SignIn(provider, "hanako").code == cli::kExitOk; }));
}

TEST_F(OpenIdTest, NamesPersonsByAVerifiedAddress) {
  const Provider provider(dir_.File("provider"), "PS256", "");
  Start(provider, "", "email");
  Done({"account", "link", admin_, "--subject", "hanako@oem.example"});

  const Result result = SignIn(provider, "hanako");
  ASSERT_EQ(result.code, cli::kExitOk) << result.err;
  EXPECT_THAT(SignIn(provider, "new-hanako").err, HasSubstr("email_verified"));
}

TEST_F(OpenIdTest, RefusesAClientWithAnotherSecret) {
  const Provider provider(dir_.File("provider"), "RS256", kSecret);
  Start(provider, "another-secret");

  const Result result = SignIn(provider, "hanako");

  EXPECT_EQ(result.code, cli::kExitError);
  EXPECT_THAT(result.err, HasSubstr("invalid_client"));
}

TEST_F(OpenIdTest, IsNotOpenedByAnotherAuthority) {
  const Provider provider(dir_.File("provider"), "RS256", kSecret);
  const Provider other(dir_.File("other"), "RS256", kSecret);
  ASSERT_TRUE(std::filesystem::copy_file(other.ca_file(), provider.ca_file(),
                                         std::filesystem::copy_options::overwrite_existing));
  Start(provider, kSecret);

  const Result result = SignIn(provider, "hanako");

  EXPECT_EQ(result.code, cli::kExitError);
  EXPECT_THAT(result.err, HasSubstr("not trusted"));
}

}  // namespace
}  // namespace tsunagi::e2e
