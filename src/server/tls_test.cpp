// Certificates and tokens; that gRPC accepts them is service_test's business.
#include "server/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "core/error.h"
#include "server/tokens.h"

namespace hot::server {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate Read(const fs::path& file) {
  const std::string text = ReadFile(file);
  BIO* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  Certificate certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free);
  BIO_free(bio);
  return certificate;
}

template <typename Function>
Code Thrown(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.code();
  }
  return Code::kOk;
}

TEST(Tls, CertificateIsSignedAndNamesItsHosts) {
  const TempFolder folder;
  InitTls(folder.path() / "tls", {"board.lan", "192.0.2.7"});
  const Certificate ca = Read(folder.path() / "tls" / kCaCertificate);
  const Certificate own = Read(folder.path() / "tls" / kServerCertificate);
  ASSERT_TRUE(ca && own);
  EXPECT_EQ(X509_verify(own.get(), X509_get0_pubkey(ca.get())), 1);
  EXPECT_EQ(X509_check_host(own.get(), "board.lan", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(own.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(own.get(), "other.lan", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(own.get(), "192.0.2.7", 0), 1);
  for (const char* secret : {kServerKey, kTokenFile}) {
    EXPECT_EQ(fs::status(folder.path() / "tls" / secret).permissions() & (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none);
  }
  EXPECT_FALSE(Tokens(folder.path() / "tls" / kTokenFile).empty());
}

TEST(Tls, RefusesToReplaceACertificateAndOddNames) {
  const TempFolder folder;
  EXPECT_EQ(Thrown([&] { InitTls(folder.path() / "a", {"bad name,DNS:evil"}); }), Code::kInvalidArgument);
  EXPECT_FALSE(fs::exists(folder.path() / "a"));
  InitTls(folder.path() / "a", {});
  const std::string before = ReadFile(folder.path() / "a" / kServerCertificate);
  EXPECT_EQ(Thrown([&] { InitTls(folder.path() / "a", {}); }), Code::kAlreadyExists);
  EXPECT_EQ(ReadFile(folder.path() / "a" / kServerCertificate), before);
}

TEST(Tokens, TellClientsApart) {
  const TempFolder folder;
  WriteFileAtomic(folder.path() / "t", "# team\nalice 0123456789abcdef\n\nfedcba9876543210\n");
  const Tokens tokens(folder.path() / "t");
  EXPECT_EQ(tokens.Name("Bearer 0123456789abcdef"), "alice");
  EXPECT_EQ(tokens.Name("Bearer fedcba9876543210"), "");
  for (const char* wrong : {"", "Bearer ", "Bearer 0123456789abcde", "0123456789abcdef", "Bearer alice"})
    EXPECT_EQ(tokens.Name(wrong), std::nullopt) << wrong;
  EXPECT_EQ(Tokens().Name(""), "");
}

TEST(Tokens, RefusesFilesWithoutAGoodToken) {
  const TempFolder folder;
  for (const char* text : {"", "# nothing\n", "short\n", "a b 0123456789abcdef\n"}) {
    WriteFileAtomic(folder.path() / "t", text);
    EXPECT_EQ(Thrown([&] { Tokens{folder.path() / "t"}; }), Code::kInvalidArgument) << text;
  }
  EXPECT_EQ(Thrown([&] { Tokens{folder.path() / "missing"}; }), Code::kNotFound);
}

}  // namespace
}  // namespace hot::server
