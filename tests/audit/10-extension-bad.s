; class 10: extension
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_kill, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld hi32(arg0)
jeq #0xffffffff, low, deny
low: ld lo32(arg0)
jeq #0xffffffff, allow, deny
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
