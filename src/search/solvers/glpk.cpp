// One binary column x a choice, "exactly one" rows, a row a budget. Pairs become edge columns y >= 0 between
// neighbouring slots whose row and column sums equal x, so they are integral with x. The next best pick comes from one
// more row that forbids the last one (no-good cut).
//
// GLPK works in doubles with relative tolerances, so the program is made small first: each slot's smallest number is
// taken off (exactly one choice a slot: a constant), rows are divided by their greatest common divisor, and the
// objective is shifted so that it is near 0 at the optimum, where GLPK's relative objective tolerance (1e-7) is
// sharpest. Every pick is verified in integers; one that breaks a budget within GLPK's tolerance is forbidden and the
// search goes on.
#include "search/solvers/glpk.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/subprocess.h"
#include "search/solvers/k_best.h"

namespace hot {
namespace {

constexpr int kMaxRejected = 1000;  // picks outside the budgets before we give up

size_t At(int index) { return static_cast<size_t>(index); }

// One linear row over x (by slot and choice) and y (by pair matrix), in integers.
struct Row {
  std::vector<std::vector<int64_t>> x;
  std::vector<std::vector<std::vector<int64_t>>> y;  // by slot; empty: no pair between this slot and the next
  int64_t constant = 0;                              // taken off x
  int64_t divisor = 1;
};

Row EmptyRow(const Program& program) {
  Row row;
  for (const auto& slot : program.slots) row.x.emplace_back(slot.size());
  row.y.resize(program.slots.size());
  for (const ProgramPair& pair : program.pairs) {
    row.y[At(pair.slot)].assign(pair.extra.size(), std::vector<int64_t>(pair.extra[0].size()));
  }
  return row;
}

void AddPair(const ProgramPair& pair, int64_t weight, Row& row) {
  for (size_t i = 0; i < pair.extra.size(); ++i) {
    for (size_t j = 0; j < pair.extra[i].size(); ++j) row.y[At(pair.slot)][i][j] += weight * pair.extra[i][j];
  }
}

void Shrink(Row& row) {
  int64_t divisor = 0;
  for (auto& slot : row.x) {
    const int64_t smallest = *std::ranges::min_element(slot);
    row.constant += smallest;
    for (int64_t& number : slot) {
      number -= smallest;
      divisor = std::gcd(divisor, number);
    }
  }
  for (const auto& matrix : row.y) {
    for (const auto& line : matrix) {
      for (const int64_t number : line) divisor = std::gcd(divisor, number);
    }
  }
  row.divisor = std::max<int64_t>(1, divisor);
}

Row BudgetRow(const Program& program, int budget) {
  Row row = EmptyRow(program);
  for (size_t s = 0; s < row.x.size(); ++s) {
    for (size_t i = 0; i < row.x[s].size(); ++i) row.x[s][i] = program.slots[s][i].costs[At(budget)];
  }
  for (const ProgramPair& pair : program.pairs) {
    if (pair.budget == budget) AddPair(pair, 1, row);
  }
  Shrink(row);
  return row;
}

Row ValueRow(const Program& program) {
  Row row = EmptyRow(program);
  for (size_t s = 0; s < row.x.size(); ++s) {
    for (size_t i = 0; i < row.x[s].size(); ++i) row.x[s][i] = program.slots[s][i].value;
  }
  for (const ProgramPair& pair : program.pairs) AddPair(pair, pair.value_weight, row);
  Shrink(row);
  return row;
}

int64_t FloorDivide(int64_t number, int64_t divisor) {
  return number / divisor - (number % divisor != 0 && number < 0 ? 1 : 0);
}

std::string X(size_t slot, size_t choice) { return "x_" + std::to_string(slot) + "_" + std::to_string(choice); }
std::string Y(size_t slot, size_t i, size_t j) {
  return "y_" + std::to_string(slot) + "_" + std::to_string(i) + "_" + std::to_string(j);
}

// Sum of coefficient x name; lines stay short because LP readers limit them.
class Terms {
 public:
  void Add(int64_t coefficient, const std::string& name) {
    text_ << (coefficient < 0 ? "\n - " : "\n + ") << (coefficient < 0 ? -coefficient : coefficient) << ' ' << name;
  }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

void AddEdges(const Row& row, Terms& terms) {
  for (size_t s = 0; s < row.y.size(); ++s) {
    for (size_t i = 0; i < row.y[s].size(); ++i) {
      for (size_t j = 0; j < row.y[s][i].size(); ++j) {
        if (row.y[s][i][j] != 0) terms.Add(row.y[s][i][j] / row.divisor, Y(s, i, j));
      }
    }
  }
}

// A row needs at least one term, so the first choice's is always written.
std::string RowText(const Row& row, bool with_zeros) {
  Terms terms;
  for (size_t s = 0; s < row.x.size(); ++s) {
    for (size_t i = 0; i < row.x[s].size(); ++i) {
      if (with_zeros || row.x[s][i] != 0 || s + i == 0) terms.Add(row.x[s][i] / row.divisor, X(s, i));
    }
  }
  AddEdges(row, terms);
  return terms.text();
}

// The row sums of y equal x of this slot, its column sums x of the next.
std::string EdgeRows(const Row& value) {
  std::ostringstream text;
  for (size_t s = 0; s + 1 < value.x.size(); ++s) {
    if (value.y[s].empty()) continue;
    for (size_t i = 0; i < value.x[s].size(); ++i) {
      Terms terms;
      for (size_t j = 0; j < value.x[s + 1].size(); ++j) terms.Add(1, Y(s, i, j));
      terms.Add(-1, X(s, i));
      text << " from_" << s << '_' << i << ':' << terms.text() << "\n = 0\n";
    }
    for (size_t j = 0; j < value.x[s + 1].size(); ++j) {
      Terms terms;
      for (size_t i = 0; i < value.x[s].size(); ++i) terms.Add(1, Y(s, i, j));
      terms.Add(-1, X(s + 1, j));
      text << " to_" << s << '_' << j << ':' << terms.text() << "\n = 0\n";
    }
  }
  return text.str();
}

// The parts of the LP file that stay the same from pick to pick.
class LpWriter {
 public:
  explicit LpWriter(const Program& program) : value_(ValueRow(program)) {
    objective_ = RowText(value_, true);  // all x, in order: so GLPK numbers its columns that way
    std::ostringstream rows;
    for (size_t s = 0; s < value_.x.size(); ++s) {
      Terms terms;
      for (size_t i = 0; i < value_.x[s].size(); ++i) terms.Add(1, X(s, i));
      rows << " one_" << s << ':' << terms.text() << "\n = 1\n";
    }
    for (int b = 0; b < static_cast<int>(program.budgets.size()); ++b) {
      const Row row = BudgetRow(program, b);
      const int64_t limit = FloorDivide(program.budgets[At(b)].limit - row.constant, row.divisor);
      rows << " budget_" << b << ':' << RowText(row, false) << "\n <= " << limit << '\n';
    }
    rows_ = rows.str() + EdgeRows(value_);
    for (size_t s = 0; s < value_.x.size(); ++s) {
      for (size_t i = 0; i < value_.x[s].size(); ++i) binaries_ += "\n " + X(s, i);
    }
  }

  void Forbid(const std::vector<int>& choices) {
    Terms terms;
    for (size_t s = 0; s < choices.size(); ++s) terms.Add(1, X(s, At(choices[s])));
    rows_ +=
        " cut_" + std::to_string(cuts_++) + ":" + terms.text() + "\n <= " + std::to_string(choices.size() - 1) + "\n";
  }

  // The objective is 0 at picks of value `center`.
  std::string Text(int64_t center) const {
    const int64_t shift = FloorDivide(center - value_.constant, value_.divisor);
    return "Maximize\n value:" + objective_ + "\n " + (shift > 0 ? "- " : "+ ") + std::to_string(std::abs(shift)) +
           " shift\nSubject To\n" + rows_ + "Bounds\n shift = 1\nBinary" + binaries_ + "\nEnd\n";
  }

 private:
  Row value_;
  std::string objective_, rows_, binaries_;
  int cuts_ = 0;
};

class GlpkSolver : public Solver {
 public:
  explicit GlpkSolver(const std::string& program) : program_(program) {}
  std::string_view name() const override { return "glpk"; }

  SolveResult Solve(const Program& program, int k) const override {
    const auto start = std::chrono::steady_clock::now();
    CheckCount(k);
    CheckProgram(program);
    if (!FindProgram(program_)) {
      throw Error(Code::kUnavailable, "glpk", program_ + " is not installed",
                  "apt install glpk-utils, or use the exact solver");
    }
    SolveResult result;
    result.solutions = Find(program, k);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    result.solve_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count();
    return result;
  }

 private:
  std::vector<Solution> Find(const Program& program, int k) const {
    LpWriter lp(program);
    KBest best(At(k));
    int64_t center = 0;
    bool centered = false;
    for (int found = 0, rejected = 0; found < k;) {
      std::optional<Solution> next = Run(program, lp.Text(center));
      if (!next) break;
      if (!centered) {  // the first answer only says where the optimum is about
        center = next->value;
        centered = true;
        continue;
      }
      lp.Forbid(next->choices);
      if (!Feasible(program, *next)) {
        if (++rejected > kMaxRejected) throw Error(Code::kInternal, "glpk", "only finds picks outside the budgets");
        continue;
      }
      center = next->value;
      best.Offer(std::move(*next));
      ++found;
    }
    return best.Sorted();
  }

  std::optional<Solution> Run(const Program& program, const std::string& text) const {
    const TempFolder folder;
    const fs::path lp = folder.path() / "program.lp", out = folder.path() / "solution.txt";
    WriteFileAtomic(lp, text);
    const ProcessResult process = RunProcess({program_, "--lp", lp.string(), "-w", out.string()});
    if (!process.status.ok() || !fs::exists(out)) {
      throw Error(Code::kInternal, "glpk", program_ + " failed: " + process.output.substr(0, 300));
    }
    const auto choices = ParseGlpsolSolution(ReadFile(out), program);
    if (!choices) return std::nullopt;
    return EvaluatePick(program, *choices);
  }

  std::string program_;
};

}  // namespace

// The lines are "s mip ROWS COLUMNS STATUS VALUE", "j COLUMN VALUE" (x columns come first) and "e o f". STATUS is o for
// an optimum, n or u where there is none.
std::optional<std::vector<int>> ParseGlpsolSolution(const std::string& text, const Program& program) {
  std::vector<double> columns(1);
  std::istringstream lines(text);
  std::string status, kind;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string skipped;
    words >> kind;
    if (kind == "s") words >> skipped >> skipped >> skipped >> status;
    double value = 0;
    if (kind == "j" && words >> skipped >> value) columns.push_back(value);
  }
  if (kind != "e") throw Error(Code::kInternal, "glpk", "the solution is cut off");
  if (status == "n" || status == "u") return std::nullopt;
  if (status != "o") throw Error(Code::kInternal, "glpk", "no optimum in the solution");
  std::vector<int> choices;
  size_t column = 1;
  for (const auto& slot : program.slots) {
    if (column + slot.size() > columns.size()) throw Error(Code::kInternal, "glpk", "the solution lacks columns");
    const auto first = columns.begin() + static_cast<std::ptrdiff_t>(column);
    const auto last = first + static_cast<std::ptrdiff_t>(slot.size());
    choices.push_back(static_cast<int>(std::max_element(first, last) - first));
    column += slot.size();
  }
  return choices;
}

std::unique_ptr<Solver> MakeGlpkSolver(const std::string& program) { return std::make_unique<GlpkSolver>(program); }

}  // namespace hot
