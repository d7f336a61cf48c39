/** The plain form for a new VM: what a page without script sends. */
import { USE_CLOUD_INIT } from "../../components/vm/create/CloudInitFields.tsx";
import { cloudInitOf } from "../../lib/vm/cloud_init/form_data.ts";
import type { Missing } from "../../lib/client/create_model.ts";
import type { NewDisk, VmConfig } from "../../lib/contract/mod.ts";

/** The part that the chosen source is missing: a VM without an install source is created only if the form says so. */
export function missingIn(form: FormData, { isoPath, disks }: Partial<VmConfig>): Missing | undefined {
  const source = form.get("source");
  if (source === "iso" && isoPath === undefined && form.get("withoutIso") !== "yes") return "iso";
  const isImage = source === "image" || source === "cloud";
  return isImage && disks?.[0]?.path === undefined ? "image" : undefined;
}

/** Configuration in the fields of the plain form; the server checks it. */
export function wishOf(form: FormData): Partial<VmConfig> {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === "string" && value !== "" ? value : undefined; // as it was typed
  };
  const count = (name: string) => {
    const value = text(name);
    return value === undefined ? undefined : Number(value);
  };
  const iso = text("isoPath");
  const isoPath = iso === undefined || iso === "?" ? text("isoOther") : iso;
  const source = text("source");
  const isImage = source === "image" || source === "cloud";
  const image = isImage ? text("imageOther") ?? text("imagePath") : undefined;
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
  const project = text("project");
  return {
    name: text("name") ?? "",
    ...(osVariant !== undefined && { osVariant }),
    ...(cpuCount !== undefined && { cpuCount }),
    ...(memoryMb !== undefined && { memoryMb }),
    ...(source === "iso" && isoPath !== undefined && { isoPath }),
    ...(form.get("anyMedium") === "yes" && { anyMedium: true }),
    ...(source === "network" && { bootOrder: ["network", "disk"] }),
    disks: disk === undefined ? [] : [disk],
    nics: plug === undefined ? [] : [plug.startsWith("/") ? { bridge: plug.slice(1) } : { network: plug }],
    ...(form.get(USE_CLOUD_INIT) === "yes" && { cloudInit: cloudInitOf(form) }),
    ...(form.get("guestTools") === "yes" && { guestTools: true }),
    ...(project !== undefined && { project }),
    start: form.get("start") === "yes",
  };
}
