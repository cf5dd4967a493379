// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

/// Temperatures from 0 to 100 as a picture: PGM (grey), or PNG (colours) if the file's name ends so. PNG's data are a
/// zlib stream, here of stored blocks: not compressed, so no library is needed.
namespace picture {

using bytes = std::vector<std::uint8_t>;

struct colour {
  std::uint8_t red, green, blue;
};

inline std::uint8_t mixed(double from, double to, double part) {
  return static_cast<std::uint8_t>(from + (to - from) * part + 0.5);
}

/// From dark blue over purple, red and orange to light yellow.
inline colour colour_of(double degrees) {
  constexpr std::array<std::array<double, 3>, 6> kStops{
      {{8, 8, 48}, {72, 20, 120}, {176, 36, 104}, {232, 88, 56}, {252, 172, 64}, {255, 250, 200}}};
  const double at = std::clamp(degrees / 100, 0.0, 1.0) * (kStops.size() - 1);
  const std::size_t below = std::min<std::size_t>(static_cast<std::size_t>(at), kStops.size() - 2);
  const double part = at - static_cast<double>(below);
  const auto& a = kStops[below];
  const auto& b = kStops[below + 1];
  return {mixed(a[0], b[0], part), mixed(a[1], b[1], part), mixed(a[2], b[2], part)};
}

/// One of the lines of equal temperature, every ten degrees, goes between this point and the next ones.
inline bool is_on_line(const double* plate, std::size_t i, std::size_t j, std::size_t rows, std::size_t columns) {
  const auto step = [&](std::size_t row, std::size_t column) {
    return static_cast<int>(plate[row * columns + column] / 10);
  };
  const int here = step(i, j);
  return (j + 1 < columns && step(i, j + 1) != here) || (i + 1 < rows && step(i + 1, j) != here);
}

inline void put_big_endian(bytes& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

inline std::uint32_t crc32(const std::uint8_t* data, std::size_t count) {
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < count; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

inline void put_chunk(bytes& out, std::string_view kind, const bytes& data) {
  put_big_endian(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = out.size();
  out.insert(out.end(), kind.begin(), kind.end());
  out.insert(out.end(), data.begin(), data.end());
  put_big_endian(out, crc32(out.data() + begin, out.size() - begin));
}

inline bytes stored_zlib(const bytes& data) {
  constexpr std::size_t kBlock = 65535;
  bytes out{0x78, 0x01};
  for (std::size_t at = 0; at < data.size(); at += kBlock) {
    const std::size_t count = std::min(kBlock, data.size() - at);
    const auto low = static_cast<std::uint8_t>(count & 0xff);
    const auto high = static_cast<std::uint8_t>(count >> 8);
    const std::array<std::uint8_t, 5> head{static_cast<std::uint8_t>(at + count == data.size() ? 1 : 0), low, high,
                                           static_cast<std::uint8_t>(~low), static_cast<std::uint8_t>(~high)};
    out.insert(out.end(), head.begin(), head.end());
    out.insert(out.end(), data.begin() + static_cast<std::ptrdiff_t>(at),
               data.begin() + static_cast<std::ptrdiff_t>(at + count));
  }
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const std::uint8_t each : data) {
    a = (a + each) % 65521;
    b = (b + a) % 65521;
  }
  put_big_endian(out, (b << 16) | a);
  return out;
}

inline bytes png_of(const double* plate, std::size_t rows, std::size_t columns) {
  bytes pixels;
  for (std::size_t i = 0; i < rows; ++i) {
    pixels.push_back(0);  // no filter
    for (std::size_t j = 0; j < columns; ++j) {
      colour c = colour_of(plate[i * columns + j]);
      if (is_on_line(plate, i, j, rows, columns)) {
        c = {mixed(c.red, 0, 0.4), mixed(c.green, 0, 0.4), mixed(c.blue, 0, 0.4)};
      }
      pixels.insert(pixels.end(), {c.red, c.green, c.blue});
    }
  }
  bytes out{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  bytes header;
  put_big_endian(header, static_cast<std::uint32_t>(columns));
  put_big_endian(header, static_cast<std::uint32_t>(rows));
  header.insert(header.end(), {8, 2, 0, 0, 0});  // 8 bits each of red, green and blue
  put_chunk(out, "IHDR", header);
  put_chunk(out, "IDAT", stored_zlib(pixels));
  put_chunk(out, "IEND", {});
  return out;
}

inline bytes pgm_of(const double* plate, std::size_t rows, std::size_t columns) {
  const std::string header = "P5\n" + std::to_string(columns) + ' ' + std::to_string(rows) + "\n255\n";
  bytes out(header.begin(), header.end());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      const double grey = std::clamp(plate[i * columns + j], 0.0, 100.0) * 2.55;
      out.push_back(is_on_line(plate, i, j, rows, columns) ? mixed(grey, 0, 0.4) : mixed(grey, grey, 0));
    }
  }
  return out;
}

}  // namespace picture

/// Throws std::system_error.
inline void draw(const std::string& path, const double* plate, std::size_t rows, std::size_t columns) {
  const picture::bytes all =
      path.ends_with(".png") ? picture::png_of(plate, rows, columns) : picture::pgm_of(plate, rows, columns);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(all.data()), static_cast<std::streamsize>(all.size()));
  file.close();
  if (!file) throw std::system_error(errno, std::generic_category(), "cannot write " + path);
}
