; class 10: order below
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_kill, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld lo32(arg0)
jgt #1000, deny, allow
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
