; class 15: argument restricted
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_kill, look
jeq #__NR_exit, allow
jeq #__NR_tkill, allow
ret errno(EPERM)
look: ld lo32(arg0)
jeq #1, deny, allow
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
