/** What each shell is told: it asks `kvm-manager __complete` for the next words. Nothing of an answer is ever run. */

const BASH = `# bash completion for kvm-manager. Use it: source <(kvm-manager completion bash)
_kvm_manager() {
  local line word
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default
      return
    fi
    word=\${line%%$'\\t'*}
    COMPREPLY+=("$(printf %q "$word")")
  done < <("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _kvm_manager kvm-manager
`;

const ZSH = `#compdef kvm-manager
# zsh completion for kvm-manager. Use it: source <(kvm-manager completion zsh)
_kvm_manager() {
  local -a lines described
  local line
  lines=("\${(@f)$("\${(Q)words[1]}" __complete "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
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
