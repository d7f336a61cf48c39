/** The plain form for a new machine: what a page without script sends. */
import { USE_CLOUD_INIT } from "../../components/create/CloudInitFields.tsx";
import { cloudInitOf } from "../../lib/cloud_init/form_data.ts";
import type { NewDisk, VmConfig } from "../../lib/contract/mod.ts";

/** What was typed into the plain form, as a wish. Whether it can be granted is for the server to say. */
export function wishOf(form: FormData): Partial<VmConfig> {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  };
  const count = (name: string) => {
    const value = text(name);
    return value === undefined ? undefined : Number(value);
  };
  const iso = text("isoPath");
  const isoPath = iso === undefined || iso === "?" ? text("isoOther") : iso;
  const source = text("source");
  const image = source === "image" ? text("imagePath") : undefined;
  const sizeGb = count("diskSizeGb");
  const pool = text("pool");
  const copyAs = text("imageCopy") as NewDisk["copyAs"];
  const copySizeGb = count("imageSizeGb"), copyPool = text("imagePool");
  const disk: NewDisk | undefined = image !== undefined
    ? {
      path: image,
      ...(copyAs !== undefined && {
        copyAs,
        ...(copySizeGb !== undefined && { sizeGb: copySizeGb }),
        ...(copyPool !== undefined && { pool: copyPool }),
      }),
    }
    : sizeGb !== undefined
    ? { sizeGb, ...(pool !== undefined && { pool }) }
    : undefined;
  const plug = text("network");
  const osVariant = text("osVariant");
  const cpuCount = count("cpuCount");
  const memoryMb = count("memoryMb");
  return {
    name: text("name") ?? "",
    ...(osVariant !== undefined && { osVariant }),
    ...(cpuCount !== undefined && { cpuCount }),
    ...(memoryMb !== undefined && { memoryMb }),
    ...(source === "iso" && isoPath !== undefined && { isoPath }),
    ...(source === "network" && { bootOrder: ["network", "disk"] }),
    disks: disk === undefined ? [] : [disk],
    nics: plug === undefined ? [] : [plug.startsWith("/") ? { bridge: plug.slice(1) } : { network: plug }],
    ...(form.get(USE_CLOUD_INIT) === "yes" && { cloudInit: cloudInitOf(form) }),
    start: form.get("start") === "yes",
  };
}
