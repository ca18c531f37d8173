// The HDF5 constants that are C macros and therefore invisible to Swift.
#include <hdf5.h>

static inline hid_t eventprop_h5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t eventprop_h5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t eventprop_h5_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t eventprop_h5_float16(void) {
  hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  return half;
}
static inline hid_t eventprop_h5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t eventprop_h5_default(void) { return H5P_DEFAULT; }
static inline hid_t eventprop_h5_all(void) { return H5S_ALL; }
static inline void eventprop_h5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
static inline unsigned eventprop_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned eventprop_h5_truncate(void) { return H5F_ACC_TRUNC; }
