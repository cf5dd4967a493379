// SPDX-License-Identifier: BSL-1.0
//
// Counts the words of files on several workers. One reader puts pieces of the files into a bounded channel, workers take
// them, count, and answer when there are no more; the reader can be as far ahead of them as the channel has room.
//
// A word is a run of letters A to Z, in lower case: the counts are those of
//   cat FILES | tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sort | uniq -c
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "outside_look.hpp"
#include "weir/weir.hpp"

namespace {

using stopwatch = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = 4096;    // small, so that small files too are work for all
constexpr std::size_t kPiecesInFlight = 32;  // capacity of the channel

// ------------------------------------------------------------------------------------------------------------ counting

using word_counts = std::map<std::string, std::uint64_t>;

/// What a worker answers. It travels by cereal's `serialize`.
struct tally {
  word_counts words;
  std::uint64_t pieces = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(words, pieces);
  }
};

// Not isalpha(): that depends on the locale.
constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

class word_counter {
 public:
  void add(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
      at = std::find_if(at, end, is_letter);
      if (at == end) return;
      word_.clear();
      for (; at != end && is_letter(*at); ++at) word_ += to_lower(*at);
      ++counts_[word_];
    }
  }
  [[nodiscard]] word_counts sorted() const { return {counts_.begin(), counts_.end()}; }

 private:
  std::unordered_map<std::string, std::uint64_t> counts_;
  std::string word_;
};

/// Runs on each worker. After an empty piece it waits until `go_on` has something in it.
tally count_pieces(weir::channel<std::string> pieces, weir::channel<bool> go_on) {
  word_counter counter;
  tally result;
  try {
    for (;;) {
      bool is_empty = false;
      {
        const auto piece = pieces.take_view();  // read where it lies: not copied
        is_empty = piece.empty();
        counter.add({piece.data(), piece.size()});
      }
      if (is_empty) go_on.fetch();
      if (!is_empty) ++result.pieces;
    }
  } catch (const weir::channel_closed& closed) {
    if (!closed.reason().empty()) throw;
  }
  result.words = counter.sorted();
  return result;
}

// ------------------------------------------------------------------------------------------------------------- reading

class input_file {
 public:
  /// Throws std::system_error.
  explicit input_file(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "rb"), &std::fclose) {
    if (!file_) fail();
    if (std::filesystem::is_directory(path)) fail(EISDIR);
    std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // straight to where it is wanted
  }
  /// Fewer than asked for only at the end of the file. Throws std::system_error.
  std::size_t read(char* to, std::size_t bytes) {
    errno = 0;
    const std::size_t got = std::fread(to, 1, bytes, file_.get());
    if (got < bytes && std::ferror(file_.get()) != 0) fail();
    return got;
  }

 private:
  [[noreturn]] void fail(int cause = errno) const {
    throw std::system_error(cause, std::generic_category(), "cannot read " + path_);
  }

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

/// Cuts files into pieces, between words, and puts them. Files follow each other as `cat` has them: a word may begin in
/// one and end in the next.
class piece_reader {
 public:
  explicit piece_reader(weir::channel<std::string> pieces) : pieces_(std::move(pieces)) {}

  /// Calls `after_put()` for each piece that was put.
  template <class AfterPut>
  void read(input_file& file, const AfterPut& after_put) {
    for (bool at_end = false; !at_end;) {
      // As much again as is left over, so that a word of any length is read in few steps.
      const std::size_t wanted = std::max(kPieceBytes, rest_.size());
      auto piece = pieces_.loan(rest_.size() + wanted);
      std::copy(rest_.begin(), rest_.end(), piece.begin());
      const std::size_t got = file.read(piece.data() + rest_.size(), wanted);
      at_end = got < wanted;
      bytes_ += got;

      const std::string_view text(piece.data(), rest_.size() + got);
      const std::size_t cut = last_word(text);
      rest_ = text.substr(cut);
      if (cut == 0) continue;
      piece.resize(cut);
      pieces_.put(std::move(piece));
      after_put();
    }
  }
  /// Puts what is left, and closes the channel.
  void finish() {
    if (!rest_.empty()) pieces_.put(rest_);
    pieces_.close();
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  // Where the word begins with which the text ends; the end of the text if it ends with no word.
  static std::size_t last_word(std::string_view text) noexcept {
    std::size_t at = text.size();
    while (at > 0 && is_letter(text[at - 1])) --at;
    return at;
  }

  weir::channel<std::string> pieces_;
  std::string rest_;  // the begin of a word, to which more may belong
  std::uint64_t bytes_ = 0;
};

// ------------------------------------------------------------------------------------------------------------- the job

struct options {
  std::vector<std::string> files;
  std::size_t workers = 4;
  std::size_t top = 10;
  bool check = false;
  bool all = false;
  std::string weir_command;
};

struct outcome {
  word_counts words;
  std::uint64_t bytes = 0;
  std::vector<std::uint64_t> pieces_of_worker;
  double seconds = 0;
};

std::uint64_t size_of_all(const std::vector<std::string>& files) {
  std::uint64_t bytes = 0;
  for (const std::string& path : files) {
    std::error_code is_no_file;
    const std::uint64_t size = std::filesystem::file_size(path, is_no_file);
    if (!is_no_file) bytes += size;
  }
  return bytes;
}

/// Puts all of the files into the channel. Returns how many bytes they have.
std::uint64_t put_files(const std::vector<std::string>& files, weir::channel<std::string> pieces, outside_look& look) {
  const std::uint64_t half = size_of_all(files) / 2;
  piece_reader reader(pieces);
  try {
    for (const std::string& path : files) {
      input_file file(path);
      reader.read(file, [&] {
        if (reader.bytes() >= half) look.half_is_done();
        look.piece_was_put();
      });
    }
    look.all_is_read();
    reader.finish();
  } catch (const std::exception& e) {
    pieces.close(e.what());  // so that the workers do not wait for more
    throw;
  }
  return reader.bytes();
}

outcome count_on_workers(const options& chosen) {
  weir::session session;
  const auto workers = session.add_workers(chosen.workers);
  weir::channel<std::string> pieces(kPiecesInFlight);
  weir::channel<bool> go_on(1);
  outside_look look(chosen.weir_command, workers.size(), pieces, go_on);
  std::vector<weir::future<tally>> answers;
  for (const weir::worker& each : workers) {
    pieces.close_when_gone(each);  // what a worker has counted dies with it: the job has failed then
    answers.push_back(each.call(count_pieces, pieces, go_on));
  }

  outcome result;
  const auto start = stopwatch::now();
  result.bytes = put_files(chosen.files, pieces, look);
  for (const auto& answer : answers) {
    const tally one = answer.get();
    for (const auto& [word, count] : one.words) result.words[word] += count;
    result.pieces_of_worker.push_back(one.pieces);
  }
  result.seconds = std::chrono::duration<double>(stopwatch::now() - start - look.took()).count();
  return result;
}

/// The same without workers, channels and pieces.
word_counts count_here(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& path : files) {
    input_file file(path);
    for (std::size_t got = 1; got > 0;) {
      const std::size_t before = text.size();
      text.resize(before + kPieceBytes);
      got = file.read(text.data() + before, kPieceBytes);
      text.resize(before + got);
    }
  }
  word_counter counter;
  counter.add(text);
  return counter.sorted();
}

void print_summary(const options& chosen, const outcome& result) {
  constexpr double kMega = 1e6;
  std::uint64_t words = 0;
  for (const auto& [word, count] : result.words) words += count;
  std::printf("%zu file%s, %.2f MB: %llu words, %zu different ones\n", chosen.files.size(),
              chosen.files.size() == 1 ? "" : "s", static_cast<double>(result.bytes) / kMega,
              static_cast<unsigned long long>(words), result.words.size());
  std::printf("%zu workers took", result.pieces_of_worker.size());
  for (const std::uint64_t pieces : result.pieces_of_worker) {
    std::printf(" %llu", static_cast<unsigned long long>(pieces));
  }
  std::printf(" pieces; %.4f s, %.1f MB/s\n", result.seconds,
              static_cast<double>(result.bytes) / kMega / result.seconds);

  std::vector<std::pair<std::string, std::uint64_t>> by_count(result.words.begin(), result.words.end());
  std::stable_sort(by_count.begin(), by_count.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  by_count.resize(std::min(by_count.size(), chosen.top));
  for (const auto& [word, count] : by_count) {
    std::printf("%7llu %s\n", static_cast<unsigned long long>(count), word.c_str());
  }
}

/// Returns the exit status.
int run(const options& chosen) {
  for (const std::string& path : chosen.files) input_file can_be_read(path);
  const outcome result = count_on_workers(chosen);
  if (chosen.all) {
    for (const auto& [word, count] : result.words) {
      std::printf("%7llu %s\n", static_cast<unsigned long long>(count), word.c_str());
    }
  } else {
    print_summary(chosen, result);
  }
  if (!chosen.check) return EXIT_SUCCESS;
  const bool same = result.words == count_here(chosen.files);
  std::fprintf(stderr, "check: one process without workers counts %s\n", same ? "the same" : "something else");
  return same ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  weir::serve_if_worker();
  options chosen;
  CLI::App app("Counts the words of files on several workers.");
  app.add_option("FILES", chosen.files, "Files to count the words of")->required();
  app.add_option("--workers", chosen.workers, "Processes that count")->capture_default_str()->check(CLI::Range(1, 256));
  app.add_option("--top", chosen.top, "How many of the most frequent words to show")->capture_default_str();
  app.add_flag("--all", chosen.all, "Print nothing but all words with their counts, as `sort | uniq -c` does");
  app.add_flag("--check", chosen.check, "Count once more in one process, and compare");
  app.add_option("--weir-ls", chosen.weir_command, "Run this program with `ls` once, in the middle of the work");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    constexpr int kUsage = 2;
    return app.exit(e) == EXIT_SUCCESS ? EXIT_SUCCESS : kUsage;
  }
  try {
    return run(chosen);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "word_count: %s\n", e.what());
    return EXIT_FAILURE;
  }
}
