; class 4: restricted on one abi
ld arch
jeq #AUDIT_ARCH_X86_64, ours
jeq #AUDIT_ARCH_I386, theirs, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #425, never
jeq #41, look, allow
theirs: ld nr
jeq #425, never
jeq #102, never
ret allow
look: ld lo32(arg0)
jeq #1, allow, deny
allow: ret allow
never: ret errno(ENOSYS)
deny: ret errno(EPERM)
foreign: ret kill_process
