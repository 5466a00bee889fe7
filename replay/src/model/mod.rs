//! The capacity model: costs measured here, against a device, predict the multiple elsewhere.
