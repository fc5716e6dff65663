// What the files that make Python functions of ours share.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <initializer_list>
#include <stdexcept>
#include <string>

namespace splatfilm {

namespace nb = nanobind;

using In = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using InLong = nb::ndarray<const int64_t, nb::c_contig, nb::device::cpu>;
using InInt = nb::ndarray<const int32_t, nb::c_contig, nb::device::cpu>;
using InBytes = nb::ndarray<const uint8_t, nb::c_contig, nb::device::cpu>;
using InDouble = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;
using Out = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using OutDouble = nb::ndarray<double, nb::c_contig, nb::device::cpu>;
using OutInt = nb::ndarray<int64_t, nb::c_contig, nb::device::cpu>;

template <typename Array>
void expect(const Array& array, const char* name, std::initializer_list<int64_t> shape) {
  bool right = array.ndim() == shape.size();
  size_t axis = 0;
  std::string wanted;
  for (int64_t length : shape) {
    right = right && int64_t(array.shape(axis)) == length;
    wanted += (axis++ ? ", " : "") + std::to_string(length);
  }
  if (!right) throw std::invalid_argument(std::string(name) + " must have shape [" + wanted + "]");
}

// Functions of the stage: contact, light, shapes; what declared lamps send; the sun on what hangs on a mesh.
void bind_stage(nb::module_& m);
void bind_lamps(nb::module_& m);
void bind_sunlight(nb::module_& m);

}  // namespace splatfilm
