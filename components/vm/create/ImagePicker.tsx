import { useSignal } from "@preact/signals";
import type { CreateProps } from "./props.ts";
import { imageRef } from "../../../lib/client/image_way.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { clearOnEscape } from "../../kit/clear_on_escape.ts";
import { t } from "./props.ts";

type Image = CreateProps["images"][number];

/** Props of {@link ImagePicker}. */
export interface ImagePickerProps {
  images: readonly Image[];
  /** `pool/name` of the chosen one, or another path. */
  value: string;
  error: string | undefined;
  onChoose: (image: string) => void;
}

/** Text that a search matches an image by. */
const textOf = ({ pool, name, osName = "" }: Image) => `${pool}/${name} ${osName}`.toLowerCase();

/** VM that uses the disk, as a text. */
const userOf = ({ usedBy: [first, ...others] }: Image) =>
  first &&
  t(others.length > 0 ? "create.image_of_several" : "create.image_of", { name: oneLine(first.name, 40) });

/** A list of images to search and choose from; another path can be typed below. */
export function ImagePicker({ images, value, error, onChoose }: ImagePickerProps) {
  const typed = useSignal("");
  const words = typed.value.toLowerCase().split(/\s+/);
  const found = images.filter((image) => words.every((word) => textOf(image).includes(word)));
  const isListed = images.some((image) => imageRef(image) === value);
  const isWrong = error !== undefined;
  return (
    <fieldset class="form-field wide image-picker" aria-describedby={isWrong ? "image-error" : undefined}>
      <legend>{t("create.image")}</legend>
      {images.length > 0 && (
        <>
          <input
            class="input needs-script"
            type="search"
            aria-label={t("create.image_search")}
            placeholder={t("create.image_search")}
            value={typed.value}
            onInput={({ currentTarget }) => typed.value = currentTarget.value}
            onKeyDown={(event) => {
              if (event.key === "Enter") {
                event.preventDefault();
              }
              clearOnEscape(typed.value, () =>
                typed.value = "")(event);
            }}
          />
          <ul class="image-list">
            {found.map((image) => (
              <li key={imageRef(image)}>
                <label>
                  <input
                    type="radio"
                    name="imagePath"
                    value={imageRef(image)}
                    checked={imageRef(image) === value}
                    aria-invalid={isWrong ? "true" : undefined}
                    onChange={() => onChoose(imageRef(image))}
                  />
                  <span>
                    <bdi>{oneLine(image.name, 80)}</bdi>
                    <small>
                      {[image.osName, oneLine(image.pool, 40), formatBytes(image.virtualBytes), userOf(image)]
                        .filter(Boolean).join(" · ")}
                    </small>
                  </span>
                </label>
              </li>
            ))}
            {found.length === 0 && <li class="text-muted">{t("create.image_no_match")}</li>}
          </ul>
        </>
      )}
      <input
        class="input"
        name="imageOther"
        aria-label={t("create.image_other")}
        placeholder={t("create.image_other")}
        autocomplete="off"
        spellcheck={false}
        value={isListed ? "" : value}
        aria-invalid={isWrong ? "true" : undefined}
        onInput={({ currentTarget }) =>
          onChoose(currentTarget.value)}
      />
      {isWrong && <p class="form-error" id="image-error">{error}</p>}
    </fieldset>
  );
}
