; class 5: socketcall
ld arch
jeq #AUDIT_ARCH_I386, ours, foreign
foreign: ret kill_process
ours: ld nr
jeq #__NR_socket, look
jeq #__NR_bind, allow
jeq #__NR_socketcall, allow
ret errno(EPERM)
look: ld lo32(arg0)
jeq #1, allow
ret errno(EPERM)
allow: ret allow
