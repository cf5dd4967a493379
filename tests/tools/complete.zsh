#!/usr/bin/env zsh
# SPDX-License-Identifier: BSL-1.0
#
# complete.zsh FUNCTION WEIR LINE: what zsh would offer at the end of LINE, one on a line. A zsh on a terminal of its own
# is sent LINE and a tab; compadd, which gets all that matches, is made to print it.
setopt err_exit
zmodload zsh/zpty
typeset function=$1 weir=$2 line=$3
zpty shell zsh -f -i
typeset out
zpty -w shell "
  PS1= PS2= RPROMPT=; unsetopt prompt_cr prompt_sp zle_bracketed_paste 2>/dev/null
  fpath=(${(q)function:h} \$fpath); autoload -Uz compinit; compinit -u -D
  weir() { ${(q)weir} \"\$@\" }
  null-line() { echo -n \$'\\0'; }
  zstyle ':completion:*' list-grouped false
  compadd() {
    if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd \"\$@\"; return \$?; fi
    local -a __found; builtin compadd -A __found \"\$@\"
    (( \$#__found )) && print -lr -- '<'\${^__found}'>' 
    return 0
  }
  bindkey '^I' complete-word; zle -C complete-word complete-word _main_complete_and_end
  _main_complete_and_end() { _main_complete; print -r -- '<end>'; compstate[insert]= compstate[list]= }
  print -r -- '<rea''dy>'
"
zpty -r shell out '*<ready>*'
zpty -n -w shell "$line"$'\t'
zpty -r shell out '*<end>*'
print -r -- "$out" | tr -d '\r' | grep -o '<[^<>]*>' | sed 's/^<//; s/>$//' | grep -vx end | sort -u || true
zpty -d shell
