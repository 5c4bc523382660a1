#include "models/pretrained/pickle.h"

#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "core/error.h"

// Opcodes and their meaning: Lib/pickletools.py of CPython.
namespace hot {
namespace {

using Kind = PickleValue::Kind;

class Machine {
 public:
  Machine(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}
  Pickle Run();

 private:
  // `argument` is the table's, for opcodes that differ in a number only.
  struct Opcode {
    char code;
    void (Machine::*run)(int64_t argument);
    int64_t argument;
  };
  static const Opcode kOpcodes[];
  static const std::array<const Opcode*, 256>& Table();

  [[noreturn]] void Broken(const std::string& why) const {
    throw Error(Code::kDataLoss, where_, "holds a broken pickle at byte " + std::to_string(at_) + ": " + why);
  }

  std::string_view Take(uint64_t count) {
    if (count > bytes_.size() - at_) Broken("it ends early");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  // Little-endian, of `size` bytes.
  uint64_t Unsigned(size_t size) {
    uint64_t value = 0;
    std::memcpy(&value, Take(size).data(), size);
    return value;
  }

  std::string Line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) Broken("it ends early");
    std::string line(bytes_.substr(at_, end - at_));
    at_ = end + 1;
    return line;
  }

  PickleValue& At(size_t index) { return pickle_.values[index]; }

  void Push(PickleValue value) {
    pickle_.values.push_back(std::move(value));
    stack_.push_back(pickle_.values.size() - 1);
  }

  size_t Pop() {
    if (stack_.empty()) Broken("nothing on the stack");
    const size_t top = stack_.back();
    stack_.pop_back();
    return top;
  }

  size_t Top() {
    const size_t top = Pop();
    stack_.push_back(top);
    return top;
  }

  std::vector<size_t> PopToMark() {
    std::vector<size_t> items;
    for (size_t top = Pop(); At(top).kind != Kind::kMark; top = Pop()) items.push_back(top);
    return {items.rbegin(), items.rend()};
  }

  void Skip(int64_t bytes) { Take(static_cast<uint64_t>(bytes)); }
  void Stop(int64_t) { stopped_ = true; }
  void Mark(int64_t) { Push({.kind = Kind::kMark}); }
  void Discard(int64_t) { Pop(); }
  void DiscardToMark(int64_t) { PopToMark(); }
  void Duplicate(int64_t) { stack_.push_back(Top()); }
  void None(int64_t) { Push({.kind = Kind::kNone}); }
  void Constant(int64_t value) { Push({.kind = Kind::kInteger, .integer = value}); }

  void Integer(int64_t size) {
    auto value = static_cast<int64_t>(Unsigned(static_cast<size_t>(size)));
    if (size == 4) value = static_cast<int32_t>(value);
    Push({.kind = Kind::kInteger, .integer = value});
  }

  // Two's complement, as short as possible.
  void LongInteger(int64_t size_bytes) {
    const std::string_view digits = Take(Unsigned(static_cast<size_t>(size_bytes)));
    if (digits.size() > 8) return Push({.kind = Kind::kText, .text = std::string(digits)});
    uint64_t value = 0;
    std::memcpy(&value, digits.data(), digits.size());
    const size_t unused = 64 - 8 * digits.size();
    const bool negative = !digits.empty() && (digits.back() & 0x80) != 0;
    if (negative && unused > 0) value |= ~uint64_t{0} << (64 - unused);
    Push({.kind = Kind::kInteger, .integer = static_cast<int64_t>(value)});
  }

  void Float(int64_t) {  // big-endian, unlike everything else
    uint64_t value = 0;
    for (const char byte : Take(8)) value = value << 8 | static_cast<uint8_t>(byte);
    Push({.kind = Kind::kFloat, .number = std::bit_cast<double>(value)});
  }

  void Text(int64_t size_bytes) {
    Push({.kind = Kind::kText, .text = std::string(Take(Unsigned(static_cast<size_t>(size_bytes))))});
  }

  void Tuple(int64_t count) {
    std::vector<size_t> items(static_cast<size_t>(count));
    for (auto item = items.rbegin(); item != items.rend(); ++item) *item = Pop();
    Push({.kind = Kind::kTuple, .items = std::move(items)});
  }

  void TupleToMark(int64_t) {
    std::vector<size_t> items = PopToMark();
    Push({.kind = Kind::kTuple, .items = std::move(items)});
  }

  void DictToMark(int64_t) {
    std::vector<size_t> items = PopToMark();
    Push({.kind = Kind::kDict, .items = std::move(items)});
  }

  void EmptyTuple(int64_t) { Push({.kind = Kind::kTuple}); }
  void EmptyDict(int64_t) { Push({.kind = Kind::kDict}); }

  void Append(const std::vector<size_t>& items) {
    PickleValue& list = At(Top());
    list.items.insert(list.items.end(), items.begin(), items.end());
  }
  void AppendOne(int64_t) {
    const size_t item = Pop();
    Append({item});
  }
  void AppendToMark(int64_t) { Append(PopToMark()); }

  // Subclasses of dict are filled as dicts are.
  void SetItems(const std::vector<size_t>& items) {
    PickleValue& dict = At(Top());
    if (dict.kind != Kind::kDict) {
      dict.items.clear();
      dict.kind = Kind::kDict;
    }
    dict.items.insert(dict.items.end(), items.begin(), items.end());
  }
  void SetItem(int64_t) {
    const size_t value = Pop(), key = Pop();
    SetItems({key, value});
  }
  void SetItemsToMark(int64_t) { SetItems(PopToMark()); }

  void Global(int64_t) {
    const std::string module = Line();
    Push({.kind = Kind::kGlobal, .text = module + " " + Line()});
  }

  void GlobalFromStack(int64_t) {
    const size_t name = Pop(), module = Pop();
    Push({.kind = Kind::kGlobal, .text = At(module).text + " " + At(name).text});
  }

  void Call(int64_t) {
    const size_t arguments = Pop(), callable = Pop();
    Push({.kind = Kind::kCall, .items = {callable, arguments}});
  }

  void CallWithKeywords(int64_t) {
    Pop();
    Call(0);
  }

  void SetState(int64_t) { Pop(); }  // attributes of an object: nothing that we read has any

  void Persistent(int64_t) {
    const size_t id = Pop();
    Push({.kind = Kind::kPersistent, .items = {id}});
  }

  void Remember(int64_t size) { memo_[Unsigned(static_cast<size_t>(size))] = Top(); }
  void RememberNext(int64_t) { memo_[memo_.size()] = Top(); }
  void Recall(int64_t size) {
    const auto found = memo_.find(Unsigned(static_cast<size_t>(size)));
    if (found == memo_.end()) Broken("nothing is remembered under this number");
    stack_.push_back(found->second);
  }

  const std::string_view bytes_;
  const std::string& where_;
  size_t at_ = 0;
  bool stopped_ = false;
  Pickle pickle_;
  std::vector<size_t> stack_;
  std::unordered_map<uint64_t, size_t> memo_;
};

const Machine::Opcode Machine::kOpcodes[] = {
    {'\x80', &Machine::Skip, 1},              // PROTO
    {'\x95', &Machine::Skip, 8},              // FRAME
    {'.', &Machine::Stop, 0},                 //
    {'(', &Machine::Mark, 0},                 //
    {'0', &Machine::Discard, 0},              // POP
    {'1', &Machine::DiscardToMark, 0},        // POP_MARK
    {'2', &Machine::Duplicate, 0},            // DUP
    {'N', &Machine::None, 0},                 //
    {'\x88', &Machine::Constant, 1},          // NEWTRUE
    {'\x89', &Machine::Constant, 0},          // NEWFALSE
    {'K', &Machine::Integer, 1},              // BININT1
    {'M', &Machine::Integer, 2},              // BININT2
    {'J', &Machine::Integer, 4},              // BININT
    {'\x8a', &Machine::LongInteger, 1},       // LONG1
    {'\x8b', &Machine::LongInteger, 4},       // LONG4
    {'G', &Machine::Float, 0},                // BINFLOAT
    {'U', &Machine::Text, 1},                 // SHORT_BINSTRING
    {'T', &Machine::Text, 4},                 // BINSTRING
    {'X', &Machine::Text, 4},                 // BINUNICODE
    {'\x8c', &Machine::Text, 1},              // SHORT_BINUNICODE
    {'\x8d', &Machine::Text, 8},              // BINUNICODE8
    {'C', &Machine::Text, 1},                 // SHORT_BINBYTES
    {'B', &Machine::Text, 4},                 // BINBYTES
    {'\x8e', &Machine::Text, 8},              // BINBYTES8
    {'\x96', &Machine::Text, 8},              // BYTEARRAY8
    {')', &Machine::EmptyTuple, 0},           //
    {']', &Machine::EmptyTuple, 0},           // EMPTY_LIST
    {'\x8f', &Machine::EmptyTuple, 0},        // EMPTY_SET
    {'}', &Machine::EmptyDict, 0},            //
    {'t', &Machine::TupleToMark, 0},          //
    {'l', &Machine::TupleToMark, 0},          // LIST
    {'\x91', &Machine::TupleToMark, 0},       // FROZENSET
    {'d', &Machine::DictToMark, 0},           //
    {'\x85', &Machine::Tuple, 1},             // TUPLE1
    {'\x86', &Machine::Tuple, 2},             // TUPLE2
    {'\x87', &Machine::Tuple, 3},             // TUPLE3
    {'a', &Machine::AppendOne, 0},            //
    {'e', &Machine::AppendToMark, 0},         //
    {'\x90', &Machine::AppendToMark, 0},      // ADDITEMS
    {'s', &Machine::SetItem, 0},              //
    {'u', &Machine::SetItemsToMark, 0},       //
    {'c', &Machine::Global, 0},               //
    {'\x93', &Machine::GlobalFromStack, 0},   // STACK_GLOBAL
    {'R', &Machine::Call, 0},                 // REDUCE
    {'\x81', &Machine::Call, 0},              // NEWOBJ
    {'\x92', &Machine::CallWithKeywords, 0},  // NEWOBJ_EX
    {'b', &Machine::SetState, 0},             // BUILD
    {'Q', &Machine::Persistent, 0},           // BINPERSID
    {'q', &Machine::Remember, 1},             // BINPUT
    {'r', &Machine::Remember, 4},             // LONG_BINPUT
    {'\x94', &Machine::RememberNext, 0},      // MEMOIZE
    {'h', &Machine::Recall, 1},               // BINGET
    {'j', &Machine::Recall, 4},               // LONG_BINGET
};

const std::array<const Machine::Opcode*, 256>& Machine::Table() {
  static const std::array<const Opcode*, 256> table = [] {
    std::array<const Opcode*, 256> by_code{};
    for (const Opcode& opcode : kOpcodes) by_code[static_cast<uint8_t>(opcode.code)] = &opcode;
    return by_code;
  }();
  return table;
}

Pickle Machine::Run() {
  while (!stopped_) {
    const auto code = static_cast<uint8_t>(Take(1)[0]);
    const Opcode* opcode = Table()[code];
    if (opcode == nullptr) Broken("unknown opcode " + std::to_string(code));
    (this->*opcode->run)(opcode->argument);
  }
  pickle_.root = Pop();
  pickle_.bytes = at_;
  return std::move(pickle_);
}

}  // namespace

Pickle ReadPickle(std::string_view bytes, const std::string& where) { return Machine(bytes, where).Run(); }

}  // namespace hot
