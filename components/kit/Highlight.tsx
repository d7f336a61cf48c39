/** A text with some of its characters marked: those that were typed. */
export function Highlight({ text, positions }: { text: string; positions: readonly number[] }) {
  const marked = new Set(positions);
  const parts: { text: string; hit: boolean }[] = [];
  for (let at = 0; at < text.length; at++) {
    const hit = marked.has(at);
    const last = parts.at(-1);
    if (last?.hit === hit) last.text += text[at];
    else parts.push({ text: text[at]!, hit });
  }
  return (
    <bdi class="ellipsis">
      {parts.map((part, index) => part.hit ? <mark key={index}>{part.text}</mark> : part.text)}
    </bdi>
  );
}
