/** The form of a way by which an image comes while a VM is created, and what came of it. */
import { useEffect, useRef } from "preact/hooks";
import type { ImageWay } from "../../../lib/client/image_way.ts";
import { stayWhileSending } from "../../../lib/client/upload_model.ts";
import { heldImages } from "../../../lib/image/images.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { SelectField, TextField } from "../../kit/Field.tsx";
import { Flash } from "../../kit/Flash.tsx";
import { JobItem } from "../../jobs/JobItem.tsx";
import { UploadFile, UploadName, UploadPacked, UploadProgress } from "../../storage/UploadParts.tsx";
import { imagePools, type ImageWayProps, OPEN_TEXT, t } from "./props.ts";

/** Labels of the buttons that start a way. */
const START_TEXT = {
  catalog: "create.get_download",
  url: "create.get_download",
  upload: "create.get_upload",
} as const satisfies Record<ImageWay, string>;

/** Fields of the open way. */
function WayFields({ arrival, options, images }: Omit<ImageWayProps, "ways">) {
  const file = useRef<HTMLInputElement>(null);
  const way = arrival.way.value;
  const busy = arrival.isBusy.value;
  const pools = imagePools(options);
  const held = heldImages(arrival.catalog.value ?? [], images);
  return (
    <>
      {way === "catalog" && arrival.catalog.value !== null && (
        <SelectField
          wide
          label={t("create.get_catalog_image")}
          hint={t("create.get_catalog_hint")}
          value={arrival.catalogId.value}
          disabled={busy}
          choices={[...arrival.catalog.value]
            .sort((a, b) => Number(b.arch === options.arch) - Number(a.arch === options.arch))
            .map(({ id, name, arch }) => {
              const what = `${oneLine(name, 80)} (${arch})`;
              const pool = Object.hasOwn(held, id) ? held[id]!.pool : undefined;
              return { value: id, label: pool ? t("create.get_held", { what, pool }) : what };
            })}
          onChange={({ currentTarget }) => arrival.catalogId.value = currentTarget.value}
        />
      )}
      {way === "url" && (
        <>
          <TextField
            wide
            label={t("create.get_url_field")}
            hint={t("create.get_url_hint")}
            type="url"
            maxLength={4096}
            placeholder="https://"
            disabled={busy}
            value={arrival.url.value}
            onInput={({ currentTarget }) => arrival.url.value = currentTarget.value}
          />
          <TextField
            wide
            label={t("create.get_sum")}
            hint={t("create.get_sum_hint")}
            maxLength={4096}
            disabled={busy}
            value={arrival.checksum.value}
            onInput={({ currentTarget }) => arrival.checksum.value = currentTarget.value}
          />
        </>
      )}
      {way === "upload" && (
        <>
          <div class="form-field wide">
            <UploadFile model={arrival.upload} input={file} />
          </div>
          <UploadName model={arrival.upload} />
          <UploadPacked model={arrival.upload} />
        </>
      )}
      {pools.length > 0 && (
        <SelectField
          label={t("create.get_pool")}
          value={arrival.pool.value}
          disabled={busy}
          choices={pools.map((name) => ({ value: name, label: oneLine(name, 60) }))}
          onChange={({ currentTarget }) => arrival.pool.value = currentTarget.value}
        />
      )}
    </>
  );
}

/** How far it is, what came of it. */
function Outcome({ arrival }: Pick<ImageWayProps, "arrival">) {
  const job = arrival.job.value, { sending, progress } = arrival.upload;
  const failure = arrival.failure.value ?? arrival.upload.failure.value;
  return (
    <>
      {job && (
        <ul class="jobs form-field wide" aria-label={t("create.get_progress")}>
          <JobItem job={job} />
        </ul>
      )}
      {sending.value !== null && progress.value !== null && (
        <div class="form-field wide">
          <UploadProgress name={sending.value} progress={progress.value} />
        </div>
      )}
      <Flash tone="bad" title={t("create.get_failed")} failure={failure} class="form-field wide" />
      {arrival.arrived.value !== null && (
        <Flash tone="ok" class="form-field wide">
          {t("create.get_done", { name: oneLine(arrival.arrived.value, 120) })}
        </Flash>
      )}
    </>
  );
}

/** Form of the open way; if none is open, the result of the last one. */
export function ImageWayForm({ arrival, ways, ...parts }: ImageWayProps) {
  const open = arrival.way.value, busy = arrival.isBusy.value, { upload } = arrival;
  useEffect(() => {
    const ends = [arrival.follow(), stayWhileSending(upload)];
    return () => ends.forEach((end) => end());
  }, []);
  return (
    <>
      {open !== null && ways.includes(open) && (
        <div
          class="image-way wide"
          role="group"
          aria-label={t(OPEN_TEXT[open])}
          onKeyDown={(event) => {
            // Enter begins this, and not the VM around it.
            if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
            event.preventDefault();
            if (event.target.type !== "file") arrival.fetch(parts.images);
          }}
        >
          <div class="form-grid">
            <WayFields arrival={arrival} {...parts} />
            <Outcome arrival={arrival} />
          </div>
          <div class="form-actions">
            <button
              type="button"
              class="button"
              disabled={busy || (open === "upload" && upload.file.value === null) ||
                (open === "url" && arrival.url.value.trim() === "") ||
                (open === "catalog" && arrival.catalogId.value === "")}
              onClick={() => arrival.fetch(parts.images)}
            >
              {t(START_TEXT[open])}
            </button>
            {upload.sending.value !== null && (
              <button
                type="button"
                class="button"
                onClick={() => upload.cancel()}
              >
                {t("create.get_cancel")}
              </button>
            )}
          </div>
        </div>
      )}
      {open === null && <Outcome arrival={arrival} />}
    </>
  );
}
