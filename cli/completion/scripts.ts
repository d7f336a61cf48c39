/**
 * Completion scripts of the shells: they ask `kvm-manager __complete` for the next words. Nothing of an answer is ever
 * run.
 */

const BASH = `# bash completion for kvm-manager. Use it: source <(kvm-manager completion bash)
# Words of a line as the shell will read them, the last one as it was typed, and the quote that is open in it.
_kvm_manager_words() {
  local line=$1 char state= word= begun= i
  words=() raw= quote=
  for ((i = 0; i < \${#line}; i++)); do
    char=\${line:i:1}
    case $state in
      "'") if [[ $char == "'" ]]; then state=; else word+=$char; fi ;;
      '"')
        if [[ $char == '"' ]]; then state=
        elif [[ $char == \\\\ && \${line:i+1:1} == [\\\\\\"\\$\\\`] ]]; then raw+=$char; ((i += 1)); char=\${line:i:1}; word+=$char
        else word+=$char; fi ;;
      *)
        case $char in
          [[:space:]])
            [[ -n $begun ]] && words+=("$word")
            word= raw= begun=
            continue ;;
          "'" | '"') state=$char begun=1 ;;
          \\\\) raw+=$char; ((i += 1)); char=\${line:i:1}; word+=$char begun=1 ;;
          *) word+=$char begun=1 ;;
        esac ;;
    esac
    raw+=$char
  done
  words+=("$word")
  quote=$state
}
# A name as it is put behind what was typed: readline replaces what follows an open quote, or the last of its breaks.
_kvm_manager_reply() {
  local reply=$1 typed=$raw breaks=\${COMP_WORDBREAKS//[\\"\\'[:space:]]/} kept=
  case $quote in
    "'") reply=\${reply//\\'/\\'\\\\\\'\\'} ;;
    '"')
      reply=\${reply//\\\\/\\\\\\\\} reply=\${reply//\\"/\\\\\\"} reply=\${reply//\\$/\\\\\\$}
      reply=\${reply//\\\`/\\\\\\\`} ;;
    *)
      reply=$(printf %q "$reply")
      if [[ -n $breaks && $typed == *["$breaks"]* ]]; then
        kept=\${typed%"\${typed##*["$breaks"]}"}
        [[ $kept == *\\\\? ]] || reply=\${reply#"$kept"}
      fi ;;
  esac
  COMPREPLY+=("$reply")
}
_kvm_manager() {
  local line word raw quote i joined=
  local -a words
  COMPREPLY=()
  line=\${COMP_LINE:0:COMP_POINT}
  if [[ -z $COMP_LINE ]]; then
    # Called by hand, with words alone: those that readline parts at its breaks belong together.
    for ((i = 0; i <= COMP_CWORD; i++)); do
      word=\${COMP_WORDS[i]}
      [[ $i == 0 || $word == [:=@] || $joined == *[:=@] ]] || joined+=' '
      joined+=$word
    done
    line=$joined
  fi
  _kvm_manager_words "$line"
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default
      return
    fi
    _kvm_manager_reply "\${line%%$'\\t'*}"
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -F _kvm_manager kvm-manager
`;

const ZSH = `#compdef kvm-manager
# zsh completion for kvm-manager. Use it: source <(kvm-manager completion zsh)
_kvm_manager() {
  local -a lines described
  local line
  # PREFIX is the word without a quote that is still open.
  lines=("\${(@f)$("\${(Q)words[1]}" __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  [[ \${lines[1]} == :files ]] && { _files; return }
  for line in "\${lines[@]}"; do
    [[ -n $line ]] || continue
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -V kvm-manager described
}
if [[ $funcstack[1] == _kvm_manager ]]; then
  _kvm_manager "$@"
else
  compdef _kvm_manager kvm-manager
fi
`;

const FISH = `# fish completion for kvm-manager. Use it: kvm-manager completion fish | source
function __kvm_manager_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  # What was typed is read as the shell will read it, also while its quote is open.
  if string match -qr '^[\\'"]' -- "$current"
    set current (string sub -s 2 -- "$current")
  else if set -l plain (string unescape -- "$current")
    set current $plain
  end
  set -l lines ($before[1] __complete $before[2..-1] "$current" 2>/dev/null)
  if test "$lines[1]" = ":files"
    __fish_complete_path "$current"
  else if test (count $lines) -gt 0
    printf '%s\\n' $lines
  end
end
complete -c kvm-manager -f -a '(__kvm_manager_complete)'
`;

/** Scripts by shell. */
export const SHELLS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
