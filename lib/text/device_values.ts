/** The words of QEMU and libvirt that forms offer, as a person reads them: one table for all forms. */
import { deviceValues as texts } from "../i18n/en/device_values.ts";
import { type PlainKeyOf, textsOf } from "../i18n/mod.ts";

const { t } = textsOf(texts);

/** Field → word → what it means. */
const VALUES = {
  bus: {
    virtio: "value.bus_virtio",
    scsi: "value.bus_scsi",
    sata: "value.bus_sata",
    ide: "value.bus_ide",
    usb: "value.bus_usb",
  },
  cache: {
    none: "value.cache_none",
    writeback: "value.cache_writeback",
    writethrough: "value.cache_writethrough",
    directsync: "value.cache_directsync",
    unsafe: "value.cache_unsafe",
  },
  io: { threads: "value.io_threads", native: "value.io_native", io_uring: "value.io_uring" },
  discard: { unmap: "value.discard_unmap", ignore: "value.discard_ignore" },
  detectZeroes: { off: "value.zeroes_off", on: "value.zeroes_on", unmap: "value.zeroes_unmap" },
  nicModel: {
    virtio: "value.nic_virtio",
    e1000e: "value.nic_e1000e",
    e1000: "value.nic_e1000",
    rtl8139: "value.nic_rtl8139",
    vmxnet3: "value.nic_vmxnet3",
    ne2k_pci: "value.nic_ne2k_pci",
  },
  video: {
    virtio: "value.video_virtio",
    qxl: "value.video_qxl",
    vga: "value.video_vga",
    bochs: "value.video_bochs",
    cirrus: "value.video_cirrus",
    ramfb: "value.video_ramfb",
  },
  sound: {
    ich9: "value.sound_ich9",
    ich6: "value.sound_ich6",
    ac97: "value.sound_ac97",
    es1370: "value.sound_es1370",
    usb: "value.sound_usb",
  },
  watchdog: { i6300esb: "value.watchdog_i6300esb", itco: "value.watchdog_itco" },
} as const satisfies Record<string, Record<string, PlainKeyOf<typeof texts>>>;

/** A field of a device whose words have a meaning to be told. */
export type DeviceField = keyof typeof VALUES;

/** A word as a person reads it; a word that is not known, as it is. */
export function deviceValue(field: DeviceField, word: string): string {
  const words: Readonly<Record<string, PlainKeyOf<typeof texts>>> = VALUES[field];
  return Object.hasOwn(words, word) ? t(words[word]!) : word;
}
