#include "data/coco_json.h"

#include "core/error.h"

namespace hot {
namespace {

using nlohmann::json;

// The SAX interface does not say where an event happened, so the input counts what the lexer took.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    *taken_ = at_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** taken_;
};

// Depth 1 is the file's object, 2 the lists in it, 3 and more the element being built.
class CocoHandler {
 public:
  CocoHandler(std::string_view text, const LineMap& lines, const CocoVisitor& visit, const char* const* taken)
      : text_(text), lines_(lines), visit_(visit), taken_(taken) {}

  bool null() { return Add(nullptr); }
  bool boolean(bool value) { return Add(value); }
  bool number_integer(json::number_integer_t value) { return Add(value); }
  bool number_unsigned(json::number_unsigned_t value) { return Add(value); }
  bool number_float(json::number_float_t value, const std::string&) { return Add(value); }
  bool string(std::string& value) { return Add(std::move(value)); }
  bool binary(json::binary_t&) { return true; }
  bool start_object(size_t) { return Open(json::object()); }
  bool start_array(size_t) { return Open(json::array()); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }

  bool key(std::string& name) {
    (depth_ == 1 ? list_ : key_) = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& failure) {
    const std::string text = failure.what();
    const size_t reason = text.find(": ");
    throw Error(Code::kInvalidArgument, lines_.At(position == 0 ? 0 : position - 1),
                "broken JSON: " + (reason == std::string::npos ? text : text.substr(reason + 2)));
  }

 private:
  size_t Offset() const { return static_cast<size_t>(*taken_ - text_.data()) - 1; }

  bool in_list() const { return is_list_ && (list_ == "images" || list_ == "annotations" || list_ == "categories"); }

  [[noreturn]] void Fail(const std::string& message) const {
    throw Error(Code::kInvalidArgument, lines_.At(Offset()), message);
  }

  // Where a value goes that is now read; null when it is not wanted.
  json* Place(json value) {
    if (open_.empty() || open_.back() == nullptr || key_ == "segmentation") return nullptr;
    json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    return &(parent[key_] = std::move(value));
  }

  bool Add(json value) {
    if (depth_ == 0) Fail("expected a COCO object");
    if (depth_ == 2 && in_list()) Fail("every element of \"" + list_ + "\" must be an object");
    Place(std::move(value));
    return true;
  }

  bool Open(json value) {
    if (depth_ == 0 && !value.is_object()) Fail("expected a COCO object");
    if (depth_ == 1) is_list_ = value.is_array();
    if (depth_ == 2 && in_list()) {
      if (!value.is_object()) Fail("every element of \"" + list_ + "\" must be an object");
      element_ = {std::move(value), Offset()};
      key_.clear();
      open_.push_back(&element_.value);
    } else if (depth_ > 2 && !open_.empty()) {
      json* place = Place(std::move(value));
      open_.push_back(place);
    }
    ++depth_;
    return true;
  }

  bool Close() {
    --depth_;
    if (open_.empty()) return true;
    open_.pop_back();
    if (depth_ == 2) visit_(list_, std::move(element_));
    return true;
  }

  std::string_view text_;
  const LineMap& lines_;
  const CocoVisitor& visit_;
  const char* const* taken_;
  int depth_ = 0;
  std::string list_, key_;
  bool is_list_ = false;
  CocoElement element_;
  std::vector<json*> open_;  // what is being built, outermost first; null: skipped
};

}  // namespace

void WalkCocoJson(std::string_view text, const LineMap& lines, const CocoVisitor& visit) {
  const char* taken = text.data();
  CocoHandler handler(text, lines, visit, &taken);
  const char* const end = text.data() + text.size();
  json::sax_parse(CountingIterator(text.data(), &taken), CountingIterator(end, &taken), &handler);
}

}  // namespace hot
