//===- Lexer.h - Words of an assembly line -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_LEXER_H
#define VITQ_LIB_SIMULATOR_LEXER_H

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <limits>
#include <string>

namespace vitq::simulator {

/// Takes a line apart: words between blanks, numbers, quoted strings. What comes after a
/// ';' is a comment.
class Lexer {
public:
  explicit Lexer(llvm::StringRef line) : rest(line) { skip(); }

  bool atEnd() const { return rest.empty(); }
  /// The next word, empty at the end.
  llvm::StringRef peek() const {
    return rest.take_until([](char c) { return isBlank(c) || c == ';'; });
  }
  llvm::StringRef word() {
    llvm::StringRef word = peek();
    rest = rest.drop_front(word.size());
    skip();
    return word;
  }
  bool consume(llvm::StringRef wanted) {
    if (peek() != wanted)
      return false;
    word();
    return true;
  }

  /// A number in decimal, or hexadecimal after 0x. `what` names it in errors.
  template <typename T>
  llvm::Error number(T &value, llvm::StringRef what) {
    llvm::StringRef text = word();
    const bool isHex = text.consume_front("0x");
    if (!text.getAsInteger(isHex ? 16 : 10, value))
      return llvm::Error::success();
    // A byte is a number, too.
    return llvm::createStringError("expected a number from " + llvm::Twine(+std::numeric_limits<T>::min()) + " to " +
                                   llvm::Twine(+std::numeric_limits<T>::max()) + " for " + what + ", found " +
                                   quote(isHex ? "0x" + text.str() : text.str()));
  }

  /// A string between '"', with \\ for a backslash and \HH for any byte.
  llvm::Error string(std::string &value, llvm::StringRef what) {
    value.clear();
    if (!rest.consume_front("\""))
      return llvm::createStringError("expected " + what + " in quotation marks, found " + quote(peek()));
    while (!rest.empty() && rest.front() != '"') {
      char c = rest.front();
      rest = rest.drop_front();
      if (c == '\\' && !rest.consume_front("\\")) {
        uint8_t byte;
        if (rest.size() < 2 || rest.take_front(2).getAsInteger(16, byte))
          return llvm::createStringError("after '\\' in " + what + " comes '\\' or two hexadecimal digits");
        c = static_cast<char>(byte);
        rest = rest.drop_front(2);
      }
      value.push_back(c);
    }
    if (!rest.consume_front("\""))
      return llvm::createStringError("the quotation marks of " + what + " do not close");
    skip();
    return llvm::Error::success();
  }

  /// Nothing may be left.
  llvm::Error end() const {
    if (atEnd())
      return llvm::Error::success();
    return llvm::createStringError("expected the end of the line, found " + quote(peek()));
  }

  static std::string quote(llvm::StringRef text) {
    return text.empty() ? "the end of the line" : "'" + text.str() + "'";
  }

private:
  static bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
  void skip() {
    rest = rest.drop_while(isBlank);
    if (rest.starts_with(";"))
      rest = {};
  }

  llvm::StringRef rest;
};

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_LEXER_H
