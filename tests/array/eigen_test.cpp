// SPDX-License-Identifier: BSL-1.0
// Arrays as other libraries' matrices, without a copy: the examples of docs/arrays.md.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>

#include "weir/array.hpp"

namespace weir::tests {
namespace {

template <int Order>
using matrix_map = Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Order>>;

Eigen::Index index_of(std::size_t extent) { return static_cast<Eigen::Index>(extent); }

TEST(InteroperationWithoutCopies, ASpanOfAllElementsGoesToTheStandardAlgorithms) {
  const array<int, 2> a({2, 3});
  const std::span<int> all = a.span();
  std::iota(all.begin(), all.end(), 1);
  std::ranges::reverse(all);
  EXPECT_EQ(a(0, 0), 6);
}

TEST(InteroperationWithoutCopies, EigenMapsRowsAndColumns) {
  const array<double, 2> rows({2, 3});
  const array<double, 2> columns({3, 2}, {.order = order::column_major});
  const matrix_map<Eigen::RowMajor> r(rows.data(), index_of(rows.extent(0)), index_of(rows.extent(1)));
  matrix_map<Eigen::ColMajor> c(columns.data(), index_of(columns.extent(0)), index_of(columns.extent(1)));
  rows(1, 2) = 4;
  EXPECT_EQ(r(1, 2), 4);
  c = 2 * r.transpose();
  EXPECT_EQ(columns(2, 1), 8);
}

/// The interface of BLAS: columns `leading` elements apart. y = A x.
void gemv(std::size_t m, std::size_t n, const double* a, std::size_t leading, const double* x, double* y) {
  std::fill_n(y, m, 0.0);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = 0; i < m; ++i) y[i] += a[j * leading + i] * x[j];
}

TEST(InteroperationWithoutCopies, BlasTakesColumnMajorArraysWithTheirSecondStrideAsLeadingDimension) {
  const array<double, 2> a({3, 2}, {.order = order::column_major});
  const array<double> x(2);
  const array<double> y(3);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j) a(i, j) = i + 10 * j;
  x(0) = 1;
  x(1) = 2;
  gemv(a.extent(0), a.extent(1), a.data(), a.strides()[1], x.data(), y.data());
  EXPECT_EQ(y(2), 2 + 2 * 12);
}

TEST(InteroperationWithoutCopies, BlasTakesRowMajorArraysAsTheirTransposeWithTheirFirstStride) {
  const array<double, 2> a({2, 3});  // to BLAS: its transpose, 3x2
  const array<double> x(2);
  const array<double> y(3);
  a(0, 2) = 5;
  a(1, 2) = 1;
  x.fill(2);
  gemv(a.extent(1), a.extent(0), a.data(), a.strides()[0], x.data(), y.data());
  EXPECT_EQ(y(2), 12);
}

}  // namespace
}  // namespace weir::tests
