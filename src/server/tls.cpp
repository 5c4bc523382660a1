#include "server/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/error.h"
#include "core/hash.h"

namespace hot::server {
namespace {

constexpr long kDays = 3650;
constexpr size_t kTokenBytes = 32;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// OpenSSL's functions return null or at most 0 when they fail.
void Check(bool done, const std::string& what) {
  if (done) return;
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  throw Error(Code::kInternal, "TLS", "OpenSSL can't " + what + ": " + text.data());
}

Owned<EVP_PKEY> MakeKey() {
  Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  Check(key != nullptr, "make a key");
  return key;
}

void Extend(X509* certificate, X509* issuer, int name, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, name, value.c_str()));
  Check(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) > 0, "write \"" + value + "\"");
}

void SetName(X509_NAME* name, const std::string& value) {
  Check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()), -1,
                                   -1, 0) > 0,
        "write a name");
}

Owned<X509> MakeCertificate(EVP_PKEY* key, const std::string& subject, X509* issuer, EVP_PKEY* issuer_key,
                            const std::vector<std::pair<int, std::string>>& extensions) {
  Owned<X509> certificate(X509_new());
  Check(certificate != nullptr, "make a certificate");
  X509_set_version(certificate.get(), X509_VERSION_3);
  uint64_t serial = 0;
  Check(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) > 0, "find a number");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -24 * 3600);  // boards' clocks are late now and then
  X509_time_adj_ex(X509_getm_notAfter(certificate.get()), kDays, 0, nullptr);
  X509_set_pubkey(certificate.get(), key);
  SetName(X509_get_subject_name(certificate.get()), subject);
  X509* const signer = issuer == nullptr ? certificate.get() : issuer;
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  for (const auto& [name, value] : extensions) Extend(certificate.get(), signer, name, value);
  Check(X509_sign(certificate.get(), issuer_key, EVP_sha256()) > 0, "sign");
  return certificate;
}

template <typename Write>
std::string Pem(const Write& write) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  Check(bio != nullptr && write(bio.get()) > 0, "write PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

std::string Pem(X509* certificate) {
  return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

bool IsAddress(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

bool IsHostName(const std::string& name) {
  return !name.empty() && name.size() <= 253 &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; });
}

// "DNS:board,IP:192.0.2.7".
std::string AlternativeNames(std::vector<std::string> names) {
  names.insert(names.end(), {"localhost", "127.0.0.1"});
  std::string text;
  for (const std::string& name : names) {
    const bool ip = IsAddress(name);
    if (!ip && !IsHostName(name))
      throw Error(Code::kInvalidArgument, "--name", "\"" + name + "\" is no host name and no IP address");
    text += std::string(text.empty() ? "" : ",") + (ip ? "IP:" : "DNS:") + name;
  }
  return text;
}

}  // namespace

void InitTls(const fs::path& folder, const std::vector<std::string>& names) {
  const std::string alternatives = AlternativeNames(names);
  if (fs::exists(folder / kServerCertificate)) {
    throw Error(Code::kAlreadyExists, folder.string(), "has a certificate already, which clients may trust",
                "remove the folder to make another, or name another folder");
  }
  EnsureFolder(folder);
  fs::permissions(folder, fs::perms::owner_all);  // before a key lies in it
  const Owned<EVP_PKEY> ca_key = MakeKey(), key = MakeKey();
  const Owned<X509> ca = MakeCertificate(ca_key.get(), "hot device authority", nullptr, ca_key.get(),
                                         {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                          {NID_key_usage, "critical,keyCertSign"},
                                          {NID_subject_key_identifier, "hash"}});
  const Owned<X509> certificate = MakeCertificate(key.get(), "hot device agent", ca.get(), ca_key.get(),
                                                  {{NID_basic_constraints, "critical,CA:FALSE"},
                                                   {NID_key_usage, "critical,digitalSignature"},
                                                   {NID_ext_key_usage, "serverAuth"},
                                                   {NID_subject_alt_name, alternatives}});
  WriteFileAtomic(folder / kCaCertificate, Pem(ca.get()));
  WriteFileAtomic(folder / kServerKey, Pem([&](BIO* bio) {
                    return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
                  }));
  WriteFileAtomic(folder / kTokenFile, RandomHex(kTokenBytes) + "\n");
  for (const char* secret : {kServerKey, kTokenFile})
    fs::permissions(folder / secret, fs::perms::owner_read | fs::perms::owner_write);
  WriteFileAtomic(folder / kServerCertificate, Pem(certificate.get()));  // last: with it the folder is whole
}

}  // namespace hot::server
