; the repaired twin of 23-eperm-for-new-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_read, allow
jeq #__NR_write, allow
jge #463, new
ret errno(EPERM)
new: ret errno(ENOSYS)
allow: ret allow
foreign: ret kill_process
