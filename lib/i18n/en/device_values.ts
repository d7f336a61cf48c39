/** What QEMU's and libvirt's words for devices mean; the word itself stands behind, for who knows it. */
export const deviceValues = {
  "value.bus_virtio": "virtio: fastest, the guest needs its driver",
  "value.bus_scsi": "SCSI (virtio-scsi)",
  "value.bus_sata": "SATA: works everywhere",
  "value.bus_ide": "IDE: for old systems",
  "value.bus_usb": "USB stick",

  "value.cache_none": "None: straight to the disk (none)",
  "value.cache_writeback": "In the host’s memory, written later (writeback)",
  "value.cache_writethrough": "Reads only, writes at once (writethrough)",
  "value.cache_directsync": "None, every write waits (directsync)",
  "value.cache_unsafe": "Never flushed: data is lost when the host fails (unsafe)",

  "value.io_threads": "Threads (threads)",
  "value.io_native": "Linux AIO, with cache none (native)",
  "value.io_uring": "io_uring: Linux 5.1 and later (io_uring)",

  "value.discard_unmap": "Given back to the host (unmap)",
  "value.discard_ignore": "Kept (ignore)",

  "value.zeroes_off": "Written as they are (off)",
  "value.zeroes_on": "Written efficiently (on)",
  "value.zeroes_unmap": "Given back to the host (unmap)",

  "value.nic_virtio": "virtio: fastest, the guest needs its driver",
  "value.nic_e1000e": "Intel 82574L, for Windows (e1000e)",
  "value.nic_e1000": "Intel 82540EM, for old systems (e1000)",
  "value.nic_rtl8139": "Realtek, 100 Mbit/s (rtl8139)",
  "value.nic_vmxnet3": "VMware’s (vmxnet3)",
  "value.nic_ne2k_pci": "NE2000, for very old systems (ne2k_pci)",

  "value.video_virtio": "virtio: fastest with a driver",
  "value.video_qxl": "QXL: for SPICE (qxl)",
  "value.video_vga": "VGA: works everywhere (vga)",
  "value.video_bochs": "Plain display for UEFI (bochs)",
  "value.video_cirrus": "Cirrus, for old systems (cirrus)",
  "value.video_ramfb": "Firmware’s framebuffer (ramfb)",

  "value.sound_ich9": "Intel HD Audio, ICH9 (ich9)",
  "value.sound_ich6": "Intel HD Audio, ICH6 (ich6)",
  "value.sound_ac97": "AC’97 (ac97)",
  "value.sound_es1370": "Ensoniq (es1370)",
  "value.sound_usb": "USB audio (usb)",

  "value.watchdog_i6300esb": "Intel 6300ESB, any VM (i6300esb)",
  "value.watchdog_itco": "Intel TCO, part of q35 (itco)",
} as const;
