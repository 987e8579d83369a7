; class 9: open flags
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_open, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld lo32(arg1)
jeq #2, deny, allow
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
