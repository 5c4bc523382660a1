#include "models/pretrained/zip.h"

#include <cstdint>
#include <cstring>

#include "core/error.h"

// Offsets and names of fields: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
namespace hot {
namespace {

constexpr uint32_t kEndSignature = 0x06054b50, kEntrySignature = 0x02014b50, kLocalSignature = 0x04034b50;
constexpr uint32_t kEnd64Signature = 0x06064b50, kLocator64Signature = 0x07064b50;
constexpr size_t kEndBytes = 22, kLocatorBytes = 20, kMaxComment = 0xffff;
constexpr uint32_t kIn64 = 0xffffffff;  // the value is in the zip64 field instead

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  std::map<std::string, std::string_view> Run() {
    const Directory directory = FindDirectory();
    std::map<std::string, std::string_view> entries;
    size_t at = directory.offset;
    for (uint64_t i = 0; i < directory.entries; ++i) at = ReadEntry(at, entries);
    return entries;
  }

 private:
  struct Directory {
    uint64_t entries = 0, offset = 0;
  };

  [[noreturn]] void Broken(const char* why) const {
    throw Error(Code::kDataLoss, where_, std::string("is cut off or no zip file: ") + why);
  }

  template <typename T>
  T Field(size_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) Broken("a record ends behind the file");
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }

  std::string_view Range(uint64_t at, uint64_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) Broken("an entry ends behind the file");
    return bytes_.substr(at, size);
  }

  Directory FindDirectory() const {
    if (bytes_.size() < kEndBytes) Broken("too short");
    const size_t last = bytes_.size() - kEndBytes;
    const size_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (size_t end = last + 1; end-- > first;) {
      if (Field<uint32_t>(end) != kEndSignature) continue;
      const Directory directory{Field<uint16_t>(end + 10), Field<uint32_t>(end + 16)};
      const bool in64 = directory.entries == 0xffff || directory.offset == kIn64;
      return in64 ? Directory64(end) : directory;
    }
    Broken("no end record");
  }

  Directory Directory64(size_t end) const {
    if (end < kLocatorBytes || Field<uint32_t>(end - kLocatorBytes) != kLocator64Signature) Broken("no zip64 locator");
    const auto at = Field<uint64_t>(end - kLocatorBytes + 8);
    if (Field<uint32_t>(at) != kEnd64Signature) Broken("no zip64 end record");
    return {Field<uint64_t>(at + 32), Field<uint64_t>(at + 48)};
  }

  // Returns the offset behind the entry's record in the directory.
  size_t ReadEntry(size_t at, std::map<std::string, std::string_view>& entries) const {
    if (Field<uint32_t>(at) != kEntrySignature) Broken("no entry where the directory has one");
    const std::string name(Range(at + 46, Field<uint16_t>(at + 28)));
    const std::string_view extra = Range(at + 46 + name.size(), Field<uint16_t>(at + 30));
    uint64_t size = Field<uint32_t>(at + 24), stored = Field<uint32_t>(at + 20), local = Field<uint32_t>(at + 42);
    ReadExtra64(extra, {&size, &stored, &local});
    if (Field<uint16_t>(at + 10) != 0 || size != stored) {
      throw Error(Code::kInvalidArgument, where_, "its entry " + name + " is compressed: no PyTorch file",
                  "write the file with torch.save(model.state_dict(), FILE)");
    }
    if (Field<uint32_t>(local) != kLocalSignature) Broken("no entry where the directory says");
    const uint64_t data = local + 30 + Field<uint16_t>(local + 26) + Field<uint16_t>(local + 28);
    entries[name] = Range(data, size);
    return at + 46 + name.size() + extra.size() + Field<uint16_t>(at + 32);
  }

  // Field 1 holds, in this order, the values that did not fit into 32 bits.
  void ReadExtra64(std::string_view extra, std::initializer_list<uint64_t*> values) const {
    const auto read = [&](size_t at, auto& value) {
      if (at > extra.size() || extra.size() - at < sizeof value) Broken("a field ends behind its record");
      std::memcpy(&value, extra.data() + at, sizeof value);
    };
    for (size_t at = 0; at < extra.size();) {
      uint16_t id = 0, size = 0;
      read(at, id);
      read(at + 2, size);
      size_t next = at + 4;
      for (uint64_t* value : values) {
        if (id != 1 || *value != kIn64) continue;
        read(next, *value);
        next += sizeof *value;
      }
      at += size_t{4} + size;
    }
  }

  const std::string_view bytes_;
  const std::string& where_;
};

}  // namespace

std::map<std::string, std::string_view> ReadZip(std::string_view bytes, const std::string& where) {
  return Reader(bytes, where).Run();
}

}  // namespace hot
