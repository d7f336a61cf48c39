/** What the storage pages' forms ask for, as input of commands. Pure; the server checks it all. */
import type { Api } from "../client/api.ts";
import type { Input } from "../contract/mod.ts";
import type { storage as texts } from "../i18n/en/storage.ts";
import type { PlainKeyOf } from "../i18n/mod.ts";
import { POOL_FIELDS } from "./pool_types.ts";
import { givenIn, textIn } from "../text/form_fields.ts";

const GIB = 1024 ** 3;

/** GiB as typed, in bytes; NaN for what is no number, which the server refuses by its name. */
function bytesIn(form: FormData): number | undefined {
  const text = givenIn(form, "sizeGib");
  return text === undefined ? undefined : Math.round(Number(text.replace(",", ".")) * GIB);
}

/** The input of `create_storage_pool`. */
export function poolInput(form: FormData): Input<"create_storage_pool"> {
  const given = Object.fromEntries(
    POOL_FIELDS.map((field) => [field, textIn(form, field) || undefined]).filter(([, text]) =>
      text !== undefined
    ),
  );
  return {
    name: textIn(form, "name"),
    type: (givenIn(form, "type") ?? "") as Input<"create_storage_pool">["type"],
    ...given,
    ...(form.get("build") === "yes" && { build: true }),
    autostart: form.get("autostart") === "yes",
  };
}

/** Carries out what a form on a pool's page asks for. */
type RunFormAction = (api: Api, pool: string, form: FormData) => Promise<unknown>;

const volumeIn = (form: FormData) => String(form.get("volume") ?? "");

/**
 * Form action → what it does, and what is said when it is done. Those with `leaves` have no pool afterwards; those with
 * `isJob` may take long, and nobody waits for them.
 */
export const STORAGE_ACTIONS = {
  delete: {
    run: (api, pool, form) =>
      api.deleteStoragePool({ pool, deleteContent: form.get("deleteContent") === "yes" }),
    done: "storage.done_delete",
    leaves: true,
  },
  create_volume: {
    run: (api, pool, form) => {
      const capacityBytes = bytesIn(form);
      const backing = textIn(form, "backing") || undefined; // a volume that is there: its name as it is
      // As it was typed: blanks at its ends belong to it.
      const passphrase = form.get("passphrase");
      const encryption = typeof passphrase === "string" && passphrase !== "" ? { passphrase } : undefined;
      return api.createVolume({
        pool,
        name: textIn(form, "name"),
        ...(capacityBytes !== undefined && { capacityBytes }),
        ...(encryption && { encryption }),
        ...(encryption === undefined && givenIn(form, "format") !== undefined &&
          { format: givenIn(form, "format") as "qcow2" | "raw" }),
        ...(backing === undefined
          ? { preallocation: (givenIn(form, "preallocation") ?? "none") as "none" | "metadata" | "full" }
          : { backing: `${pool}/${backing}` }),
      });
    },
    done: "storage.done_create_volume",
  },
  resize: {
    run: (api, pool, form) =>
      api.resizeVolume({ pool, volume: volumeIn(form), capacityBytes: bytesIn(form) ?? 0 }),
    done: "storage.done_resize",
  },
  clone: {
    run: (api, pool, form) => api.cloneVolume({ pool, volume: volumeIn(form), name: textIn(form, "name") }),
    done: "storage.done_clone",
    isJob: true,
  },
  convert: {
    run: (api, pool, form) =>
      api.convertVolume({
        pool,
        volume: volumeIn(form),
        name: textIn(form, "name"),
        format: (givenIn(form, "format") ?? "") as "qcow2" | "raw",
      }),
    done: "storage.done_convert",
    isJob: true,
  },
  wipe: {
    run: (api, pool, form) => api.wipeVolume({ pool, volume: volumeIn(form) }),
    done: "storage.done_wipe",
    isJob: true,
  },
  delete_upload: {
    run: (api, pool, form) => api.deleteUpload({ pool, volume: volumeIn(form) }),
    done: "storage.done_delete_upload",
  },
  delete_volume: {
    run: (api, pool, form) =>
      api.deleteVolume({
        pool,
        volume: volumeIn(form),
        ...(form.get("permanently") === "yes" && { permanently: true }),
      }),
    done: "storage.done_delete_volume",
  },
} as const satisfies Record<
  string,
  { run: RunFormAction; done: PlainKeyOf<typeof texts>; leaves?: true; isJob?: true }
>;

export type StorageAction = keyof typeof STORAGE_ACTIONS;

/** Whether a word from a form or an address names a deed. */
export function isStorageAction(word: unknown): word is StorageAction {
  return typeof word === "string" && Object.hasOwn(STORAGE_ACTIONS, word);
}
