; the repaired twin of 05-socketcall-bad.s
ld arch
jeq #AUDIT_ARCH_I386, ours, foreign
foreign: ret kill_process
ours: ld nr
jeq #__NR_socket, look
jeq #__NR_bind, allow
ret errno(EPERM)
look: ld lo32(arg0)
jeq #1, allow
ret errno(EPERM)
allow: ret allow
