// The flags of a program. Behind them stands CLI11, which flags.cpp alone includes: it is large and
// slow to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace imago::apps {

// A flag value that parsed but cannot be used. Ends the program with 2, as an unknown flag does.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Each function adds one flag: its name with the dashes, where its value goes, what --help says of
// it. What the place holds is the default, which --help shows, but for texts that are empty and
// numbers that the flag would not take. The places must outlive run().
class Flags {
 public:
  // What is wrong with a text, or nothing; it may write the text in the form to be kept.
  using Check = std::function<std::string(std::string& text)>;

  Flags(const std::string& program, const std::string& purpose);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  const std::string& program() const { return program_; }

  void text(const std::string& name, std::string& value, const std::string& help);
  // What --help calls its values, and what each must pass.
  void text(const std::string& name, std::string& value, const std::string& kind,
            const Check& check, const std::string& help);
  void required(const std::string& name, std::string& value, const std::string& help);
  // An argument without a name, which may be left out.
  void argument(const std::string& name, std::string& value, const std::string& help);
  void choice(const std::string& name, std::string& value, const std::vector<std::string>& among,
              const std::string& help);
  void choice(const std::string& name, int& value, const std::vector<int>& among,
              const std::string& help);
  // Within [low, high], which NaN is not.
  void number(const std::string& name, int& value, int low, int high, const std::string& help);
  void number(const std::string& name, std::int64_t& value, std::int64_t low, std::int64_t high,
              const std::string& help);
  void number(const std::string& name, double& value, double low, double high,
              const std::string& help);
  void number(const std::string& name, std::optional<double>& value, double low, double high,
              const std::string& help);
  // A whole number from 0 to 2^64 - 1, in digits.
  void seed(const std::string& name, std::uint64_t& value, const std::string& help);
  // A flag without a value. "--long,--other" are two names of it; "!--no-long" turns it off.
  void on(const std::string& name, bool& value, const std::string& help);

  // Another text of --help for a flag that was added.
  void explain(const std::string& name, const std::string& help);
  // Whether a flag, with its dashes, was on the command line.
  bool given(const std::string& name) const;

  // Parses, then runs `body` and returns what it returns: 0, or 130 after Ctrl-C. A bad flag or
  // flag value gives 2, any other error 1 (a full disk behind stdout too), both with one line on
  // stderr.
  int run(int argc, char** argv, const std::function<int()>& body);

 private:
  struct Parser;  // of CLI11

  std::string program_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace imago::apps
