#include "data/jpeg.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <span>

// jerror.h leaves out codes unless jpeglib.h came first, which needs <cstdio>.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "core/error.h"

namespace hot {
namespace {

struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  bool damaged;
};

ErrorManager& ManagerOf(j_common_ptr info) { return *reinterpret_cast<ErrorManager*>(info->err); }

[[noreturn]] void OnError(j_common_ptr info) {
  ErrorManager& manager = ManagerOf(info);
  info->err->format_message(info, manager.message);
  std::longjmp(manager.jump, 1);  // libjpeg is C: an exception must not pass through it
}

// These warnings mean that pixels were invented; the others (extra bytes before a marker, odd versions) are harmless.
bool MeansDamage(int code) {
  return code == JWRN_HIT_MARKER || code == JWRN_JPEG_EOF || code == JWRN_HUFF_BAD_CODE ||
         code == JWRN_ARITH_BAD_CODE || code == JWRN_MUST_RESYNC;
}

void OnMessage(j_common_ptr info, int level) {
  ErrorManager& manager = ManagerOf(info);
  if (level >= 0 || manager.damaged || !MeansDamage(info->err->msg_code)) return;
  info->err->format_message(info, manager.message);
  manager.damaged = true;
}

// Owns the libjpeg state. The functions that set a jump hold nothing with a destructor.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {
    info_.err = jpeg_std_error(&manager_.base);
    manager_.base.error_exit = OnError;
    manager_.base.emit_message = OnMessage;
    manager_.damaged = false;
    manager_.message[0] = '\0';
    if (setjmp(manager_.jump) != 0) return;
    jpeg_create_decompress(&info_);
    created_ = true;
  }
  ~Decoder() {
    if (created_) jpeg_destroy_decompress(&info_);
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  bool ReadHeader() {
    if (!created_ || setjmp(manager_.jump) != 0) return false;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  // `pixels` holds height x width x components().
  bool ReadPixels(unsigned char* pixels) {
    if (setjmp(manager_.jump) != 0) return false;
    info_.out_color_space = is_cmyk() ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info_);
    const size_t stride = size_t{info_.output_width} * components();
    while (info_.output_scanline < info_.output_height && !manager_.damaged) {
      JSAMPROW row = pixels + info_.output_scanline * stride;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    if (!manager_.damaged) jpeg_finish_decompress(&info_);
    return !manager_.damaged;
  }

  bool is_cmyk() const { return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK; }
  int components() const { return is_cmyk() ? 4 : 3; }
  const jpeg_decompress_struct& info() const { return info_; }
  std::string reason() const { return manager_.message; }

 private:
  std::string_view bytes_;
  jpeg_decompress_struct info_{};
  ErrorManager manager_{};
  bool created_ = false;
};

// Adobe's files hold inverted inks; those without its marker, plain ones.
void CmykToRgb(std::span<const uint8_t> cmyk, bool is_inverted, std::vector<uint8_t>* rgb) {
  for (size_t i = 0; i < cmyk.size() / 4; ++i) {
    const int black = is_inverted ? cmyk[4 * i + 3] : 255 - cmyk[4 * i + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int ink = is_inverted ? cmyk[4 * i + c] : 255 - cmyk[4 * i + c];
      (*rgb)[3 * i + c] = static_cast<uint8_t>((ink * black + 127) / 255);
    }
  }
}

// A TIFF header as EXIF holds it (CIPA DC-008, 4.5.2 and 4.6.2), every read inside the bounds.
class TiffView {
 public:
  explicit TiffView(std::span<const uint8_t> bytes) : bytes_(bytes), is_little_(!bytes.empty() && bytes[0] == 'I') {}

  uint32_t Read(size_t at, int count) const {
    if (at + static_cast<size_t>(count) > bytes_.size()) return 0;
    uint32_t value = 0;
    for (int i = 0; i < count; ++i)
      value = value << 8 | bytes_[at + static_cast<size_t>(is_little_ ? count - 1 - i : i)];
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
  bool is_little_;
};

int Orientation(const jpeg_decompress_struct& info) {
  constexpr uint32_t kOrientationTag = 0x0112;
  for (const jpeg_marker_struct* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->data_length < 14 || std::memcmp(marker->data, "Exif\0\0", 6) != 0) continue;
    const TiffView tiff({marker->data + 6, marker->data_length - 6});
    const size_t directory = tiff.Read(4, 4);
    for (uint32_t i = 0; i < tiff.Read(directory, 2); ++i) {
      const size_t entry = directory + 2 + size_t{12} * i;
      if (tiff.Read(entry, 2) != kOrientationTag) continue;
      const uint32_t value = tiff.Read(entry + 8, 2);
      return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
  }
  return 1;
}

[[noreturn]] void ThrowDamaged(const fs::path& path, const std::string& reason) {
  throw Error(Code::kDataLoss, path.string(), "damaged or truncated JPEG: " + reason,
              "restore the file or leave it out");
}

DecodedJpeg HeaderOf(const fs::path& path, Decoder* decoder) {
  if (!decoder->ReadHeader()) ThrowDamaged(path, decoder->reason());
  DecodedJpeg decoded;
  decoded.image.width = static_cast<int>(decoder->info().image_width);
  decoded.image.height = static_cast<int>(decoder->info().image_height);
  decoded.orientation = Orientation(decoder->info());
  return decoded;
}

}  // namespace

bool IsJpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8"); }

DecodedJpeg DecodeJpeg(const fs::path& path, std::string_view bytes) {
  Decoder decoder(bytes);
  DecodedJpeg decoded = HeaderOf(path, &decoder);
  const int64_t pixels = int64_t{decoded.image.width} * decoded.image.height;
  if (pixels > kMaxPixels) throw Error(Code::kInvalidArgument, path.string(), "the picture has more than 2^28 pixels");
  decoded.image.rgb.resize(static_cast<size_t>(pixels) * 3);
  if (!decoder.is_cmyk()) {
    if (!decoder.ReadPixels(decoded.image.rgb.data())) ThrowDamaged(path, decoder.reason());
    return decoded;
  }
  std::vector<uint8_t> cmyk(static_cast<size_t>(pixels) * 4);
  if (!decoder.ReadPixels(cmyk.data())) ThrowDamaged(path, decoder.reason());
  CmykToRgb(cmyk, decoder.info().saw_Adobe_marker, &decoded.image.rgb);
  return decoded;
}

DecodedJpeg ReadJpegHeader(const fs::path& path, std::string_view bytes) {
  Decoder decoder(bytes);
  return HeaderOf(path, &decoder);
}

}  // namespace hot
