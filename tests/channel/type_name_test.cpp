// SPDX-License-Identifier: BSL-1.0
#include "weir/detail/type_name.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <complex>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "weir/any.hpp"
#include "weir/channel.hpp"

namespace shop {

struct order {
  struct line {};
  template <class T>
  struct note {};
};
enum class state { open, closed };
template <class T, class U = int>
struct with_default {};
template <class... Ts>
struct any_number {};
template <class T, std::size_t N>
struct matrix {};
template <auto Value>
struct constant {};
template <class T>
struct outer {
  template <class U>
  struct inner {};
  struct plain {};
};
inline namespace version_2 {
struct renamed {};
}  // namespace version_2

}  // namespace shop

namespace {

struct hidden {};
template <class T>
struct hidden_box {};

}  // namespace

template <>
struct weir::detail::type_name_of<shop::renamed> {
  static std::string get() { return "shop::renamed"; }
};

namespace weir::detail {
namespace {

// What is expected here is expected of every compiler: the test is built with several.

TEST(TypeName, BuiltinTypesHaveTheirShortestNames) {
  EXPECT_EQ(type_name<int>(), "int");
  EXPECT_EQ(type_name<unsigned>(), "unsigned int");
  EXPECT_EQ(type_name<short>(), "short");
  EXPECT_EQ(type_name<unsigned short>(), "unsigned short");
  EXPECT_EQ(type_name<long>(), "long");
  EXPECT_EQ(type_name<unsigned long>(), "unsigned long");
  EXPECT_EQ(type_name<std::size_t>(), "unsigned long");
  EXPECT_EQ(type_name<long long>(), "long long");
  EXPECT_EQ(type_name<unsigned long long>(), "unsigned long long");
  EXPECT_EQ(type_name<char>(), "char");
  EXPECT_EQ(type_name<signed char>(), "signed char");
  EXPECT_EQ(type_name<unsigned char>(), "unsigned char");
  EXPECT_EQ(type_name<bool>(), "bool");
  EXPECT_EQ(type_name<float>(), "float");
  EXPECT_EQ(type_name<double>(), "double");
  EXPECT_EQ(type_name<long double>(), "long double");
  EXPECT_EQ(type_name<char8_t>(), "char8_t");
}

TEST(TypeName, TypesOfTheStandardLibraryHaveNoInlineNamespacesAndNoDefaultArguments) {
  EXPECT_EQ(type_name<std::string>(), "std::string");
  EXPECT_EQ(type_name<std::vector<double>>(), "std::vector<double>");
  EXPECT_EQ(type_name<std::vector<std::string>>(), "std::vector<std::string>");
  EXPECT_EQ((type_name<std::map<std::string, std::vector<unsigned>>>()),
            "std::map<std::string, std::vector<unsigned int>>");
  EXPECT_EQ((type_name<std::unordered_map<int, std::string>>()), "std::unordered_map<int, std::string>");
  EXPECT_EQ(type_name<std::set<long>>(), "std::set<long>");
  EXPECT_EQ((type_name<std::array<std::pair<int, bool>, 3>>()), "std::array<std::pair<int, bool>, 3>");
  EXPECT_EQ((type_name<std::tuple<int, std::tuple<>>>()), "std::tuple<int, std::tuple<>>");
  EXPECT_EQ(type_name<std::optional<std::string>>(), "std::optional<std::string>");
  EXPECT_EQ((type_name<std::variant<std::monostate, int>>()), "std::variant<std::monostate, int>");
  EXPECT_EQ(type_name<std::complex<float>>(), "std::complex<float>");
  EXPECT_EQ(type_name<std::span<const int>>(), "std::span<const int>");
  EXPECT_EQ(type_name<std::chrono::milliseconds>(), "std::chrono::duration<long, std::ratio<1, 1000>>");
  EXPECT_EQ(type_name<std::chrono::system_clock::time_point>(), "std::chrono::time_point<std::chrono::system_clock>");
}

TEST(TypeName, TypesOfTheUserAreSpelledAsInTheSource) {
  EXPECT_EQ(type_name<shop::order>(), "shop::order");
  EXPECT_EQ(type_name<shop::order::line>(), "shop::order::line");
  EXPECT_EQ(type_name<shop::order::note<unsigned long>>(), "shop::order::note<unsigned long>");
  EXPECT_EQ(type_name<shop::state>(), "shop::state");
  EXPECT_EQ(type_name<shop::with_default<short>>(), "shop::with_default<short>");
  EXPECT_EQ((type_name<shop::with_default<short, long>>()), "shop::with_default<short, long>");
  EXPECT_EQ(type_name<shop::any_number<>>(), "shop::any_number<>");
  EXPECT_EQ((type_name<shop::any_number<int, shop::any_number<>>>()), "shop::any_number<int, shop::any_number<>>");
  EXPECT_EQ((type_name<shop::matrix<unsigned long, 3>>()), "shop::matrix<unsigned long, 3>");
  EXPECT_EQ(type_name<shop::constant<3UL>>(), "shop::constant<3>");
  EXPECT_EQ(type_name<shop::constant<shop::state::closed>>(), "shop::constant<shop::state::closed>");
  EXPECT_EQ(type_name<shop::outer<unsigned>::inner<std::string>>(), "shop::outer<unsigned int>::inner<std::string>");
  EXPECT_EQ(type_name<shop::outer<unsigned>::plain>(), "shop::outer<unsigned int>::plain");
}

TEST(TypeName, AnonymousNamespacesHaveOneSpelling) {
  EXPECT_EQ(type_name<hidden>(), "(anonymous namespace)::hidden");
  EXPECT_EQ(type_name<hidden_box<std::vector<hidden>>>(),
            "(anonymous namespace)::hidden_box<std::vector<(anonymous namespace)::hidden>>");
}

template <class T>
std::string_view name_of_a_local_type() {
  struct local {};
  return type_name<std::vector<local>>();
}

TEST(TypeName, TypesInsideFunctionsAreNamedWithoutTheFunction) {
  struct local {};
  EXPECT_EQ(type_name<local>(), "local");
  EXPECT_EQ(type_name<hidden_box<local>>(), "(anonymous namespace)::hidden_box<local>");
  EXPECT_EQ(name_of_a_local_type<hidden>(), "std::vector<local>");
}

TEST(TypeName, WeirsOwnTypesAreNamedLikeAnyOther) {
  EXPECT_EQ(type_name<any>(), "weir::any");
  EXPECT_EQ(type_name<channel<int>>(), "weir::channel<int>");
  EXPECT_EQ(type_name<std::vector<channel<channel<std::string>>>>(),
            "std::vector<weir::channel<weir::channel<std::string>>>");
}

TEST(TypeName, ASpecialisationNamesTheTypeWhereverItIsUsed) {
  EXPECT_EQ(type_name<shop::renamed>(), "shop::renamed");
  EXPECT_EQ((type_name<std::map<int, std::vector<shop::renamed>>>()), "std::map<int, std::vector<shop::renamed>>");
}

TEST(TypeName, WhatTheCompilersWriteIsRespelled) {
  EXPECT_EQ(spelled_type("const char* f() [with T = std::vector<std::__cxx11::basic_string<char> >]"),
            "std::vector<std::string>");
  EXPECT_EQ(spelled_type("const char *f() [T = std::__1::map<int, unsigned long long>]"),
            "std::map<int, unsigned long long>");
  EXPECT_EQ(spelled_type("const char* f() [with T = long long unsigned int]"), "unsigned long long");
  EXPECT_EQ(spelled_type("const char* f() [with T = void(const {anonymous}::x*, short int)]"),
            "void(const (anonymous namespace)::x*, short)");
  EXPECT_EQ(spelled_type("const char* f() [with T = a::longer]"), "a::longer");
}

TEST(TypeHash, IsFnv1aOfTheName) {
  EXPECT_EQ(hash_of(""), 0xcbf29ce484222325U);
  EXPECT_EQ(hash_of("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(type_hash<int>(), hash_of("int"));
  EXPECT_NE(type_hash<int>(), type_hash<unsigned>());
}

}  // namespace
}  // namespace weir::detail
