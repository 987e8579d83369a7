; the repaired twin of 11-not-the-policy-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, high
jeq #__NR_read, allow
jeq #__NR_write, allow
jeq #__NR_exit, allow
jeq #__NR_socket, look, deny
look: ld lo32(arg0)
jeq #1, allow, deny
high: jeq #0xffffffff, deny, foreign
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
